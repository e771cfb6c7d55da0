"""What is said about a configuration that cannot be used."""

import copy
import re

import pytest
import yaml
from tests.helpers import REPOSITORY

from spatial_prediction.configuration import COMMON_KEYS
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.names import CONVOLUTION_NAMES, PADDING_NAMES, TRAINED_NAMES
from spatial_prediction.padding import padding_from_name
from spatial_prediction.studies.super_resolution.config import Preset
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.validation import (
    KEYS,
    check_border_name,
    check_padding_name,
    normalised,
    validated,
)

CONFIGURATION = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
SCHEMA = yaml.safe_load(
    (REPOSITORY / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
)
DOCUMENT = REPOSITORY / "docs" / "faults.md"
SEVERAL = "the configuration has faults:\n  "

# Every fault: what an overlay says, or "no KEY" for a key that is taken out of config.yaml.
# docs/faults.md says what message it gets; `python -m tests.unit.test_validation` prints its table anew.
FAULTS = {
    "unknown section": "trainings: {}",
    "unknown key": "training: {learning_rates: 0.01}",
    "unknown key of a data source": "dataset: {directory: {folder: scenes}}",
    "missing section": "no evaluation",
    "missing key": "no training.adam_epsilon",
    "empty section": "training:",
    "text for a number": "training: {steps: many}",
    "fraction for a whole number": "training: {steps: 1.5e+6}",
    "number that YAML reads as text": "training: {learning_rate: 1e-3}",
    "neither word nor number": "dataset: {directory: {scale: percent}}",
    "number beside words that YAML reads as text": "dataset: {directory: {scale: 1e-4}}",
    "too many in a list": "dataset: {directory: {bands: [a, b, c, d]}}",
    "no finite number": "training: {learning_rate: .inf}",
    "yes for a number": "timing: {repeats: yes}",
    "negative": "training: {steps: -5}",
    "zero": "training: {learning_rate: 0}",
    "share of one or more": "training: {adam_beta_1: 1.0}",
    "odd input size": "training: {low_res_size: 49}",
    "other depth": "model: {blocks: 6}",
    "steps out of order": "training: {steps: 150, warmup_steps: 100, decay_start: 160}",
    "no preset": "presets: []",
    "unknown preset": "presets: [zero-repl, lp2x3_oc6]",
    "preset unlike any": "presets: [wavelet]",
    "preset twice": "presets: [repl, lp2x3, repl]",
    "same seed twice": "seeds: [0, 1, 0]",
    "negative seed": "seeds: [-1]",
    "own preset with an unknown padding": "custom_presets: {mine: {padding: lp2x2, upscale_padding: repl}}",
    "own preset without a padding": "custom_presets: {mine: {padding: lp3x5}}",
    "own preset under a published name": "custom_presets: {repl: {padding: repl, upscale_padding: repl}}",
    "own preset under an unusable name": "custom_presets: {a/b: {padding: repl, upscale_padding: repl}}",
    "own preset cropped too far": (
        "custom_presets: {mine: {padding: repl, upscale_padding: repl, output_crop: 11}}"
    ),
    "unknown source": "dataset: {source: sentinel}",
    "nothing left to train on": "dataset: {test_scenes: 30}",
    "directory without a path": "dataset: {source: directory}",
    "scenes too small": "dataset: {scene_size: 128}",
    "unknown offset": "dataset: {offset: 1000}",
    "offset of synthetic scenes": "dataset: {offset: -1000}",
    "no address of a mirror": "dataset: {fairdata: {mirror: ftp://example.org/scenes}}",
    "network of the padding NMSE not trained": "evaluation: {nmse_presets: [repl_oc1]}",
    "preset whose seams are measured not among the presets": "seams: {presets: [repl_oc1]}",
    "preset of strategies not among the presets": "seams: {strategy_presets: [repl_oc1]}",
    "unknown padding in place of another": "seams: {transfer_paddings: [wavelet]}",
    "unknown word for presets": "seams: {presets: none}",
    "overlap of nothing": "seams: {overlaps: [0]}",
    "preset to be timed not among the presets": "timing: {presets: [repl_oc1]}",
    "unknown padding of the padding NMSE": "evaluation: {nmse_paddings: [zero, extr0]}",
    "unknown padding of the samples": "figures: {sample_paddings: [reflect]}",
    "sample beyond the test scenes": "figures: {sample_scene: 6}",
    "one of the samples beyond the test scenes": "figures: {sample_scenes: [0, 7]}",
    "unknown format": "figures: {formats: [png, jpg]}",
    "no PNG for the report": "figures: {formats: [pdf]}",
    "unknown baseline": 'figures: {baselines: {"5": zero_oc6}}',
    "baseline of another output crop": 'figures: {baselines: {"5": zero-repl}}',
    "no output crop": 'figures: {baselines: {"11": zero-repl}}',
    "output crop twice": 'figures: {baselines: {"0": zero-repl, 0: repl}}',
    "braces in a path": 'results: "{x}"',
    "line break in a path": 'dataset: {permutation_file: "order\\n.txt"}',
    "space at the end of a path": 'dataset: {directory: {path: "scenes "}}',
    "results in the working folder itself": "results: ./",
    "results like an option": "results: -x",
    "results and resources in one folder": "resources: ./results/",
    "results among resources": "results: resources/arrays",
    "resources among results": "resources: results/figures/x",
    "seed beyond 32 bits": "seeds: [0, 4294967296]",
    "padding twice": "figures: {sample_paddings: [zero, zero]}",
    "scenes larger than the synthetic ones": "dataset: {scene_size: 521}",
}


def with_overlay(configuration, overlay):
    """The configuration as Snakemake merges it: mappings key by key, anything else replaced."""
    if not isinstance(configuration, dict) or not isinstance(overlay, dict):
        return copy.deepcopy(overlay)
    return {
        key: with_overlay(configuration.get(key), overlay[key]) if key in overlay else configuration[key]
        for key in configuration | overlay
    }


def without(configuration, key):
    first, _, rest = key.partition(".")
    others = {name: value for name, value in configuration.items() if name != first}
    return others | {first: without(configuration[first], rest)} if rest else others


def faulty(change):
    if change.startswith("no "):
        return without(CONFIGURATION, change.removeprefix("no "))
    return with_overlay(CONFIGURATION, yaml.safe_load(change))


def message_for(change):
    with pytest.raises(ConfigurationError) as refusal:
        validated(faulty(change), SCHEMA)
    return str(refusal.value).removeprefix(SEVERAL)


def documented():
    rows = re.findall(
        r"^\| ([^|`]+) \| `([^`]+)` \| `([^`]+)` \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE
    )
    return {fault: (change, message) for fault, change, message in rows}


def test_documentation_lists_every_fault_as_it_is_made_here():
    assert {fault: change for fault, (change, _) in documented().items()} == FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_gets_the_documented_message(fault):
    assert message_for(FAULTS[fault]) == documented()[fault][1]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_message_names_the_key_at_fault(fault):
    change, keys = FAULTS[fault], []
    if change.startswith("no "):
        keys = change.removeprefix("no ").split(".")
    else:
        inner = yaml.safe_load(change)
        while isinstance(inner, dict) and len(inner) == 1:
            ((key, inner),) = inner.items()
            keys.append(key)
    assert keys
    assert [key for key in keys if key not in message_for(change)] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resources": "x" * 201}, r"^resources: is 'x+… \(203 characters\); .* more than 200 bytes$"),
        ({"training": {"learning_rate": 10**400}}, r"^training\.learning_rate: is 10+… .* at most 1e\+30$"),
        (
            {"training": {"steps": 16**9000}},
            r"^training\.steps: is a number of more than a thousand digits; give a smaller one$",
        ),
        ({"seeds": [2**63]}, r"^seeds\.0: is 9223372036854775808; must be at most 4294967295$"),
        (
            {"evaluation": {"nmse_paddings": ["lp2x3_band" + "9" * 5000]}},
            r"nmse_paddings\.0: is 'lp2x3_band9+… ",
        ),
        ({"custom_presets": {"a" * 65: {}}}, "^custom_presets: is 'a{65}'; must have at most 64 characters"),
        ({"custom_presets": {"a\n": {}}}, r"^custom_presets: is 'a\\n'; must be of letters, digits"),
        ({"presets": ["repl\n"]}, r"^presets\.0: is 'repl\\n'; must be of letters, digits"),
        (
            {"seeds": list(range(4000000000, 4000000020)), "training": {"seeds_per_job": 20}},
            r"^training\.seeds_per_job: is 20; .* take 219; have fewer in a job$",
        ),
        ({"results": "a\ud800"}, r"^results: is 'a\\ud800'; must hold no braces"),
        ({"dataset": {"fairdata": {"mirror": "https://x\n"}}}, "mirror: is .* must begin with http"),
    ],
    ids=lambda value: None if isinstance(value, str) else next(iter(value)),
)
def test_what_is_too_long_or_too_large_is_refused_by_name_and_shown_in_part(change, message):
    with pytest.raises(ConfigurationError) as refusal:
        validated(with_overlay(CONFIGURATION, change), SCHEMA)
    first = str(refusal.value).removeprefix(SEVERAL).splitlines()[0]
    assert re.search(message, first)
    assert len(first) < 300


@pytest.mark.parametrize("check", [check_padding_name, check_border_name])
@pytest.mark.parametrize("name", ["lp2x3_band" + "9" * 5000, "extr" + "1" * 5000, "extr\u0661", "lp2x\u0663"])
def test_names_of_many_or_foreign_digits_are_refused_by_name(check, name):
    with pytest.raises(ConfigurationError, match=f"^mine: no [a-z ]+ is called '{name[:20]}"):
        check(name, "mine")


def test_faults_of_several_keys_are_all_told_at_once():
    change = "{training: {steps: -5, batch_size: 0, stepz: 1}, seeds: []}"
    assert message_for(change).splitlines() == [
        "seeds: is []; must list at least 1",
        "  training: unknown key 'stepz'; did you mean 'steps'? "
        f"Known: {', '.join(sorted(CONFIGURATION['training']))}",
        "  training.batch_size: is 0; must be at least 1",
        "  training.steps: is -5; must be at least 1",
    ]


def test_several_missing_keys_are_told_once():
    configuration = without(without(CONFIGURATION, "seeds"), "model")
    with pytest.raises(ConfigurationError) as refusal:
        validated(configuration, SCHEMA)
    assert str(refusal.value) == f"{SEVERAL}top level: lacks 'seeds', 'model'; add it"


def test_a_key_that_is_no_text_is_told_like_any_other():
    assert message_for("{3: 4}").startswith("top level: unknown key '3'; known: ")


def test_the_default_configuration_is_valid_and_gives_its_presets_in_order():
    presets = validated(CONFIGURATION, SCHEMA)
    assert list(presets) == CONFIGURATION["presets"]
    assert presets == {name: PRESETS[name] for name in CONFIGURATION["presets"]}


def test_a_preset_of_ones_own_can_be_used():
    overlay = """
        presets: [repl, mine]
        custom_presets: {mine: {padding: lp3x5, upscale_padding: circ, output_crop: 2}}
        evaluation: {nmse_presets: [mine]}
        timing: {presets: [mine]}
        figures: {baselines: {"2": mine}}
    """
    presets = validated(with_overlay(CONFIGURATION, yaml.safe_load(overlay)), SCHEMA)
    assert presets == {"repl": Preset("repl", "repl"), "mine": Preset("lp3x5", "circ", 2)}


def test_tiles_that_fade_must_not_reach_a_third():
    overlay = {"dataset": {"scene_size": 200}, "seams": {"overlaps": [2, 8]}}
    config = with_overlay(CONFIGURATION, overlay)
    with pytest.raises(
        ConfigurationError, match=r"^seams.overlaps: is 8, but tiles .* can fade over 7 at most"
    ):
        validated(config, SCHEMA)
    for left_out in ({"curves": []}, {"strategy_presets": []}, {"overlaps": [7]}):
        validated(with_overlay(config, {"seams": left_out}), SCHEMA)


def test_words_for_presets_become_lists():
    seams = normalised(CONFIGURATION)["seams"]
    assert seams["presets"] == seams["transfer_presets"] == CONFIGURATION["presets"]
    assert seams["strategy_presets"] == CONFIGURATION["presets"][:1]


def test_checking_leaves_the_configuration_as_it_is():
    configuration = copy.deepcopy(CONFIGURATION)
    validated(configuration, SCHEMA)
    assert configuration == CONFIGURATION


def numbered_paddings():
    yield from (f"extr{order}" for order in ("", 0, 1, 2, 3, 4, 9, 10, 12, "01", -1, "1.5", "x"))
    for length in ("", 0, 1, 2, 3, 6, 10, 20, "02"):
        for width in ("", 0, 1, 2, 3, 4, 5, 7, 10, 11, 21, "01", "03"):
            for ending in ("", "c", "cs", "css", "_batch", "_band", "_band0", "_band3", "_decay2", "_across"):
                yield f"lp{length}x{width}{ending}"


@pytest.mark.parametrize(
    "names",
    [
        PADDING_NAMES,
        ["", "zeros", "Zero", "zero ", " zero", "zero\n", "replicate", "reflect", "circular", "lp", "x"],
        list(numbered_paddings()),
    ],
    ids=["known", "misspelt", "numbered"],
)
def test_names_pass_the_check_exactly_if_there_is_such_a_padding(names):
    def passes(call):
        try:
            call()
        except (ConfigurationError, ValueError):
            return False
        return True

    checked = [name for name in names if passes(lambda name=name: check_padding_name(name, "paddings"))]
    assert checked == [name for name in names if passes(lambda name=name: padding_from_name(name, 1))]


def test_an_unknown_padding_is_refused_with_key_name_and_what_there_is():
    with pytest.raises(
        ConfigurationError,
        match=r"^figures\.sample_paddings: .*'mirror'; did you mean 'refl'\? Known: zero, ",
    ):
        check_padding_name("mirror", "figures.sample_paddings")


@pytest.mark.parametrize("name", [*CONVOLUTION_NAMES, *TRAINED_NAMES, *PADDING_NAMES])
def test_convolutions_know_more_than_paddings(name):
    check_border_name(name, "paddings")
    if name not in PADDING_NAMES:
        with pytest.raises(ConfigurationError, match=f"^paddings: '{name}' (is not a padding|has arrays)"):
            check_padding_name(name, "paddings")


def test_an_unknown_border_handling_is_refused_with_all_there_is():
    with pytest.raises(
        ConfigurationError, match=r"^mine: .*'partial'; did you mean 'part'\? Known: part, diff,"
    ):
        check_border_name("partial", "mine")


def test_the_studys_paths_are_expanded_and_output_crops_as_keys_become_text(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    config = copy.deepcopy(CONFIGURATION)
    config["dataset"]["directory"] = {"path": "~", "pattern": "~/*"}
    config["figures"]["baselines"] = {0: "repl", "5": "zero_oc5"}
    before = copy.deepcopy(config)
    plain = normalised(config)
    assert config == before
    assert plain["dataset"]["directory"] == {"path": "/home/me", "pattern": "~/*"}
    assert plain["figures"]["baselines"] == {"0": "repl", "5": "zero_oc5"}
    assert normalised(CONFIGURATION) | {"seams": CONFIGURATION["seams"]} == CONFIGURATION


def test_keys_of_another_study_are_not_checked():
    schema = SCHEMA | {"properties": SCHEMA["properties"] | {"another": {"type": "integer"}}}
    schema["required"] = [*SCHEMA["required"], "another"]
    assert validated(CONFIGURATION, schema)
    assert validated(CONFIGURATION | {"another": "faulty"}, schema)
    assert {*KEYS, *COMMON_KEYS, "upscaling", "interpolation", "compression"} == set(SCHEMA["properties"])


if __name__ == "__main__":
    for fault, change in FAULTS.items():
        print(f"| {fault} | `{change}` | `{message_for(change)}` |")
