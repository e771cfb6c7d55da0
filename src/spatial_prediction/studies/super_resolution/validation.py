"""The padding study's check of its configuration, in words a user can act on. Imports nothing heavy."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from spatial_prediction.configuration import (
    COMMON_KEYS,
    LONGEST_NAME,
    check_paths,
    check_places,
    check_shape,
)
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.names import parse_border_name, parse_padding_name
from spatial_prediction.normalisation import plain_path, with_plain_paths
from spatial_prediction.studies.super_resolution.config import (
    LARGEST_OUTPUT_CROP,
    UPSCALE_FACTOR,
    Preset,
    largest_tile,
    tile_size,
)
from spatial_prediction.studies.super_resolution.presets import PRESETS, check_preset_name, presets_from_names
from spatial_prediction.training_settings import TrainingSettings

KEYS = (
    "dataset", "presets", "seeds", "custom_presets", "model", "training", "evaluation", "seams", "timing",
    "figures",
)  # fmt: skip
"""Keys at the top of the configuration that are this study's."""

SEAM_PRESETS = ("presets", "strategy_presets", "transfer_presets")
"""Keys of the section ``seams`` that name presets."""

PATHS = ("dataset.permutation_file", "dataset.directory.path", "dataset.fairdata.archive_list")
"""Those below them whose values are paths of this machine, relative to the working folder."""


def validated(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Preset]:
    """Check the configuration as far as this study goes, and return its presets.

    Args:
        config: the merged configuration; keys of other studies are left unread.
        schema: its JSON schema (``workflow/schemas/config.schema.yaml``).

    Raises:
        ConfigurationError: a key is faulty; names every such key, its value, and what is allowed.
    """
    check_shape(config, schema, [*COMMON_KEYS, *KEYS])
    check_places(config)
    _check_nesting(config["results"], config["resources"])
    check_paths(config, PATHS)
    presets = presets_from_names(config["presets"], config["custom_presets"])
    for name, fields in config["custom_presets"].items():
        check_border_name(fields["padding"], f"custom_presets.{name}.padding")
        check_padding_name(fields["upscale_padding"], f"custom_presets.{name}.upscale_padding")
    for key in ("evaluation.nmse_paddings", "figures.sample_paddings", "seams.transfer_paddings"):
        section, _, field = key.partition(".")
        for padding in config[section][field]:
            check_padding_name(padding, key)
    wanted = {
        "evaluation.nmse_presets": config["evaluation"]["nmse_presets"],
        "timing.presets": config["timing"]["presets"],
    } | {f"seams.{key}": _seam_presets(config, key) for key in SEAM_PRESETS}
    for key, names in wanted.items():
        for name in names:
            if name not in presets:
                raise ConfigurationError(
                    f"{key}: {name!r} is not among presets; add it there or remove it here"
                )
    _check_baselines(config["figures"]["baselines"], config["custom_presets"])
    TrainingSettings(**{key: value for key, value in config["training"].items() if key != "seeds_per_job"})
    _check_seed_groups(config["seeds"], config["training"]["seeds_per_job"])
    _check_dataset(config["dataset"], config["training"]["low_res_size"], config["figures"])
    _check_blends(config)
    return presets


def normalised(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the study's paths and output crops of a valid configuration the form that rules use.

    Output crops that are keys become text: Snakemake sorts keys for its report. ``all`` and ``first`` become
    lists of presets.
    """
    baselines = {str(crop): name for crop, name in config["figures"]["baselines"].items()}
    seams = dict(config["seams"]) | {key: _seam_presets(config, key) for key in SEAM_PRESETS}
    figures = dict(config["figures"]) | {"baselines": baselines}
    return with_plain_paths(config, PATHS) | {"figures": figures, "seams": seams}


_FOLDERS_OF_RESULTS = (
    "evaluation", "figures", "history", "logs", "models", "runs", "tables", "timing", "training",
    "report.html",
)  # fmt: skip
_FOLDERS_OF_RESOURCES = ("arrays", "checkpoints", "compiled_programs", "fairdata", "synthetic")


def _check_nesting(*given: str) -> None:
    results, resources = (os.path.realpath(plain_path(path)) for path in given)
    for inner, outer, taken in (
        (results, resources, _FOLDERS_OF_RESOURCES),
        (resources, results, _FOLDERS_OF_RESULTS),
    ):
        if inner.startswith(f"{outer}/") and inner.removeprefix(f"{outer}/").split("/")[0] in taken:
            raise ConfigurationError(
                f"results is {given[0]!r} and resources {given[1]!r}: the one lies in a folder of the other "
                "that the study fills itself; name two that lie side by side"
            )


def _seam_presets(config: Mapping[str, Any], key: str) -> list[str]:
    """List the presets of a key of ``seams``, which may name them or say ``all`` or ``first``."""
    chosen, presets = config["seams"][key], config["presets"]
    return list({"all": presets, "first": presets[:1]}[chosen]) if isinstance(chosen, str) else list(chosen)


def _check_blends(config: Mapping[str, Any]) -> None:
    """Where tiles fade into each other, a third must not reach into what is compared."""
    seams = config["seams"]
    tile = largest_tile(
        config["training"]["low_res_size"], config["dataset"]["scene_size"], beyond=LARGEST_OUTPUT_CROP
    )
    widest = max(seams["overlaps"], default=0)
    if seams["strategy_presets"] and seams["curves"] and widest > tile // 2:
        raise ConfigurationError(
            f"seams.overlaps: is {widest}, but tiles that fit into scenes of dataset.scene_size "
            f"{config['dataset']['scene_size']} keep {tile} pixels and can fade over {tile // 2} at most; "
            "ask for less, or for larger scenes"
        )


def _check_seed_groups(seeds: list[int], per_job: int) -> None:
    """Seeds that share a job are named together in the name of its folder."""
    longest = max(len("-".join(map(str, seeds[first : first + per_job]))) for first in range(len(seeds)))
    if longest > LONGEST_NAME:
        raise ConfigurationError(
            f"training.seeds_per_job: is {per_job}; the seeds of one job, written in a row, may take "
            f"{LONGEST_NAME} characters and take {longest}; have fewer in a job"
        )


SYNTHETIC_SCENE_SIZE = 520
"""Rows and columns of a synthetic scene, pixels."""


def check_padding_name(name: str, key: str) -> None:
    """Raise ConfigurationError, naming ``key``, if no padding is called ``name``."""
    _check_name(parse_padding_name, name, key)


def check_border_name(name: str, key: str) -> None:
    """Raise ConfigurationError, naming ``key``, if convolutions have no border handling called ``name``."""
    _check_name(parse_border_name, name, key)


def _check_name(read: Callable[[str], Any], name: str, key: str) -> None:
    try:
        read(name)
    except ValueError as error:
        raise ConfigurationError(f"{key}: {error}") from None


def _check_baselines(baselines: Mapping[Any, str], custom: Mapping[str, Mapping[str, Any]]) -> None:
    """A baseline need not be trained, but must be a preset with the output crop that it is given for."""
    table = dict(PRESETS) | {name: Preset(**fields) for name, fields in custom.items()}
    if len({str(crop) for crop in baselines}) < len(baselines):
        raise ConfigurationError(
            "figures.baselines: has an output crop twice, as text and as number; name it once"
        )
    for crop, name in baselines.items():
        check_preset_name(name, f"figures.baselines.{crop}", table)
        if table[name].output_crop != int(crop):
            raise ConfigurationError(
                f"figures.baselines.{crop}: {name!r} has the output crop {table[name].output_crop}; "
                f"name a preset of output crop {crop}"
            )


def _check_dataset(dataset: Mapping[str, Any], low_res_size: int, figures: Mapping[str, Any]) -> None:
    if dataset["source"] == "directory" and not dataset["directory"]["path"]:
        raise ConfigurationError(
            "dataset.directory.path is null, but dataset.source is directory; set it to your folder of scenes"
        )
    if dataset["source"] == "synthetic" and dataset["test_scenes"] >= dataset["synthetic"]["scenes"]:
        raise ConfigurationError(
            f"dataset.test_scenes is {dataset['test_scenes']} of {dataset['synthetic']['scenes']} scenes; "
            "leave at least one for training"
        )
    if dataset["source"] == "synthetic" and dataset["offset"] == -1000:
        raise ConfigurationError(
            "dataset.offset is -1000, but synthetic scenes carry no offset; set it to auto or 0"
        )
    needed = tile_size(low_res_size, UPSCALE_FACTOR)
    if dataset["source"] == "synthetic" and dataset["scene_size"] > SYNTHETIC_SCENE_SIZE:
        raise ConfigurationError(
            f"dataset.scene_size is {dataset['scene_size']}; synthetic scenes have {SYNTHETIC_SCENE_SIZE} "
            "rows and columns; ask for no more"
        )
    if dataset["scene_size"] < needed:
        raise ConfigurationError(
            f"dataset.scene_size is {dataset['scene_size']}; tiles of training.low_res_size {low_res_size} "
            f"need at least {needed} pixels; raise the one or lower the other"
        )
    for key in ("sample_scene", "sample_scenes"):
        wanted = figures[key] if isinstance(figures[key], list) else [figures[key]]
        if max(wanted) >= dataset["test_scenes"]:
            raise ConfigurationError(
                f"figures.{key} asks for test scene {max(wanted)}, counted from 0, but dataset.test_scenes "
                f"is {dataset['test_scenes']}; ask for at most {dataset['test_scenes'] - 1}"
            )
