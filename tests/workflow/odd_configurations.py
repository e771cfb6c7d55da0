"""Small studies with odd settings, each of which must run to the end, and configurations at random."""

import math

import numpy as np
from hypothesis import strategies as st
from tests.scene_writer import random_bands, write_scene

from spatial_prediction.studies.super_resolution.presets import PRESETS

TINY = {
    "dataset": {"scene_size": 232, "test_scenes": 1, "synthetic": {"scenes": 2}},
    "presets": ["repl"],
    "seeds": [0],
    "model": {"hidden_channels": 2},
    "training": {
        "steps": 3, "batch_size": 1, "warmup_steps": 1, "decay_start": 2,
        "test_every": 2, "checkpoint_every": 2,
    },
    "evaluation": {"batch_size": 4, "nmse_presets": [], "nmse_paddings": ["zero"]},
    "seams": {"presets": [], "strategy_presets": [], "transfer_presets": []},
    "timing": {"presets": [], "largest_batch": 1, "repeats": 1},
    "figures": {"formats": ["png"], "sample_paddings": ["zero"], "sample_scenes": [0]},
}  # fmt: skip

OWN = {"source": "directory", "directory": {"path": "my scenes", "pattern": "a [bc]*.nc"}}
ODD = {
    "characters of the shell in every path, own scenes whose offset is taken off": {
        "results": """my results; $(touch x) 'q' "x" & é | * ?""",
        "resources": "~/x y",
        "dataset": OWN | {"permutation_file": "~/my order.txt", "bad_scenes": "skip", "offset": -1000},
    },
    "largest seeds, several a job, networks of one channel, tested and saved at every step": {
        "seeds": [4294967295, 0, 4294967294],
        "model": {"hidden_channels": 1},
        "training": {"seeds_per_job": 2, "test_every": 1, "checkpoint_every": 1},
        "dataset": {"permutation_seed": 4294967295, "synthetic": {"seed": 4294967295}},
        "figures": {"bootstrap_seed": 4294967295},
    },
    "output crops of every kind, one of them without a baseline, the largest with a preset of one's own": {
        "presets": ["repl", "repl_oc1", "repl_oc5", "A-1"],
        "custom_presets": {"A-1": {"padding": "lp3x5", "upscale_padding": "circ", "output_crop": 10}},
        "evaluation": {"nmse_presets": ["A-1"], "nmse_paddings": ["lp2x3_band9", "extr40", "circ"]},
        "timing": {"presets": ["A-1"]},
        "figures": {"baselines": {"0": "repl", "5": "repl_oc5", 10: "A-1"}, "formats": ["svg", "png"]},
    },
    "borders that are no paddings, one crop beside another": {
        "presets": ["part", "repl_oc1", "lp2x3_learned"],
        "evaluation": {"nmse_presets": ["part", "repl_oc1"], "nmse_paddings": ["rand", "lp33x3", "auto"]},
        "figures": {"baselines": {}, "sample_paddings": ["lp1x1_across"]},
    },
    "large inputs, batches beyond the data, absolute places, remedies, steps that are never reached": {
        "results": "{folder}/far away/results",
        "resources": "{folder}/far away/results/of/resources",
        "dataset": {"scene_size": 440},
        "training": {
            "low_res_size": 108, "batch_size": 3, "compute_dtype": "bfloat16",
            "clip_gradient_norm": 1.0e-30, "skip_gradient_spikes": 1.0e-3, "test_every": 1000000000,
            "checkpoint_every": 1000000000, "divergence_grace_steps": 0,
        },
        "evaluation": {"batch_size": 65536},
        "timing": {"presets": ["repl"], "memory_budget_mib": 100000000},
    },
    "scenes no larger than a tile, seams between tiles that scarcely fit": {
        "dataset": {"scene_size": 200},
        "presets": ["lp2x3_learned", "mine"],
        "custom_presets": {"mine": {"padding": "zero", "upscale_padding": "repl", "output_crop": 10}},
        "seams": {
            "presets": "all", "strategy_presets": "first", "transfer_presets": ["mine"], "overlaps": [7],
            "transfer_paddings": ["rand", "extr2"], "scenes": 1000000000,
        },
    },
    "every run diverges at its first step": {
        "seeds": [0, 1],
        "training": {"divergence_loss": 1.0e-30, "divergence_grace_steps": 0},
        "evaluation": {"nmse_presets": ["repl"]},
        "timing": {"presets": ["repl"]},
    },
    "rates at which losses are not finite": {
        "presets": ["repl", "lp2x3"],
        "training": {"learning_rate": 1.0e+18, "initial_learning_rate": 1.0e+18},
    },
}  # fmt: skip
"""Overlays on ``TINY``; ``{folder}`` stands for the study's own."""


def write_inputs(folder):
    """Write the scenes and the permutation file that ``ODD`` speaks of; the home is ``folder/home``."""
    scenes, home = folder / "my scenes", folder / "home"
    scenes.mkdir()
    home.mkdir()
    for number, name in enumerate(("a b.nc", "a c é.nc", "a c.nc", "other.nc")):
        write_scene(scenes / name, random_bands((240, 236), seed=number))
    (scenes / "a b broken.nc").write_bytes(b"broken")
    (home / "my order.txt").write_text("".join(f"{index}\n" for index in np.arange(4)[::-1]))


PADDINGS = ["zero", "repl", "refl", "circ", "rand", "auto", "extr3", "lp1x1cs", "lp2x3", "lp2x3_band9"]
TEXT = st.text(st.characters(exclude_categories=["C"], exclude_characters="{}/"), min_size=1, max_size=12)
"""Whatever may stand in a name of a file but a slash."""


def by_schema(schema, definitions):
    """Strategy for the values that a JSON schema allows, as far as the schema of the configuration goes."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of(*(by_schema(each, definitions) for each in schema["anyOf"]))
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of(*(_of_kind(kind, schema, definitions) for kind in kinds))


def _of_kind(kind, schema, definitions):
    if kind == "null":
        return st.none()
    if kind == "integer":
        factor = schema.get("multipleOf", 1)
        low, high = math.ceil(schema["minimum"] / factor), schema["maximum"] // factor
        return st.integers(low, high).map(lambda number: number * factor)
    if kind == "number":
        low, high = schema.get("exclusiveMinimum", schema.get("minimum", -1e9)), schema.get("maximum", 1)
        return st.floats(
            low, high, exclude_min="exclusiveMinimum" in schema, exclude_max="exclusiveMaximum" in schema
        )
    if kind == "string":
        if "https?" in schema.get("pattern", ""):
            return st.just("https://example.org/a%20b?c=d&e='f'")
        return TEXT.filter(lambda text: text == text.strip())
    if kind == "array":
        return st.lists(
            by_schema(schema["items"], definitions),
            min_size=schema.get("minItems", 0), max_size=schema.get("maxItems", 4),
            unique=schema.get("uniqueItems", False),
        )  # fmt: skip
    assert kind == "object", kind
    return st.fixed_dictionaries(
        {name: by_schema(part, definitions) for name, part in schema.get("properties", {}).items()}
    )


@st.composite
def configurations(draw, schema):
    """Any configuration, with names that there are and counts that agree, so that many are valid."""
    config = draw(by_schema(schema, schema["$defs"]))
    dataset, training, figures = config["dataset"], config["training"], config["figures"]
    dataset["source"] = draw(st.sampled_from(["synthetic", "fairdata"]))  # a folder must be there
    dataset["permutation_file"] = dataset["fairdata"]["archive_list"] = None  # files must be there
    dataset["synthetic"]["scenes"] = draw(st.integers(2, 40))
    dataset["test_scenes"] = draw(st.integers(1, dataset["synthetic"]["scenes"] - 1))
    training["warmup_steps"], training["decay_start"], training["steps"] = sorted(
        draw(st.lists(st.integers(1, 10**9), min_size=3, max_size=3, unique=True))
    )
    training["low_res_size"] = 2 * draw(st.integers(24, 60))
    dataset["scene_size"] = draw(st.integers(4 * (training["low_res_size"] + 2), 520))
    custom = {
        "mine": {"padding": "part", "upscale_padding": "lp2x3", "output_crop": draw(st.integers(0, 10))}
    }
    config["custom_presets"] = custom
    names = draw(
        st.lists(
            st.sampled_from([*PRESETS, "mine"]), min_size=1, max_size=schema.get("maxItems", 4), unique=True
        )
    )
    config["presets"] = names
    some = st.lists(st.sampled_from(names), unique=True)
    config["evaluation"]["nmse_presets"], config["timing"]["presets"] = draw(some), draw(some)
    seams = config["seams"]
    for key in ("presets", "strategy_presets", "transfer_presets"):
        seams[key] = draw(st.one_of(st.sampled_from(["all", "first"]), some))
    seams["overlaps"] = draw(st.lists(st.integers(1, 7), unique=True))
    paddings = st.lists(st.sampled_from(PADDINGS), min_size=1, unique=True)
    seams["transfer_paddings"] = draw(paddings)
    config["evaluation"]["nmse_paddings"], figures["sample_paddings"] = draw(paddings), draw(paddings)
    figures["baselines"] = draw(st.sampled_from([{}, {"0": "repl"}, {"5": "lp2x3_oc5", "0": "zero-repl"}]))
    figures["formats"] = draw(st.permutations(["png", *draw(st.sets(st.sampled_from(["pdf", "svg"])))]))
    scenes = st.integers(0, dataset["test_scenes"] - 1)
    figures["sample_scene"] = draw(scenes)
    figures["sample_scenes"] = draw(st.lists(scenes, min_size=1, max_size=3, unique=True))
    return config
