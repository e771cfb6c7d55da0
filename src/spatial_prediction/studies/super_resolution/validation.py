"""Checks of a whole configuration, with messages that a user can act on. Imports nothing heavy."""

import difflib
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.names import parse_border_name, parse_padding_name
from spatial_prediction.normalisation import PATHS, plain_path
from spatial_prediction.studies.super_resolution.config import (
    LARGEST_OUTPUT_CROP,
    UPSCALE_FACTOR,
    Preset,
    tile_size,
)
from spatial_prediction.studies.super_resolution.presets import PRESETS, check_preset_name, presets_from_names
from spatial_prediction.training_settings import TrainingSettings


def validated(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Preset]:
    """Check a whole configuration and return its presets.

    Args:
        config: the merged configuration.
        schema: its JSON schema (``workflow/schemas/config.schema.yaml``).

    Raises:
        ConfigurationError: a key is faulty; names every such key, its value, and what is allowed.
    """
    import jsonschema  # not needed where the configuration has been checked already

    _check_digits(config, "")
    known_types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(_STRICT_TYPES)
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=known_types)
    faults = validator(schema).iter_errors(dict(config))
    messages = [_explained(fault) for fault in sorted(faults, key=lambda fault: list(map(str, fault.path)))]
    if messages:
        # a mapping that lacks several keys is reported once for each of them
        raise ConfigurationError("the configuration has faults:\n  " + "\n  ".join(dict.fromkeys(messages)))

    _check_paths(config)
    presets = presets_from_names(config["presets"], config["custom_presets"])
    for name, fields in config["custom_presets"].items():
        check_border_name(fields["padding"], f"custom_presets.{name}.padding")
        check_padding_name(fields["upscale_padding"], f"custom_presets.{name}.upscale_padding")
    for key in ("evaluation.nmse_paddings", "figures.sample_paddings"):
        section, _, field = key.partition(".")
        for padding in config[section][field]:
            check_padding_name(padding, key)
    for key in ("evaluation.nmse_presets", "timing.presets"):
        section, _, field = key.partition(".")
        for name in config[section][field]:
            if name not in presets:
                raise ConfigurationError(
                    f"{key}: {name!r} is not among presets; add it there or remove it here"
                )
    _check_baselines(config["figures"]["baselines"], config["custom_presets"])
    TrainingSettings(**{key: value for key, value in config["training"].items() if key != "seeds_per_job"})
    _check_seed_groups(config["seeds"], config["training"]["seeds_per_job"])
    _check_dataset(config["dataset"], config["training"]["low_res_size"], config["figures"])
    return presets


def check_folders(config: Mapping[str, Any]) -> None:
    """Check that nothing on this machine is in the way of the folders ``results`` and ``resources``.

    Raises:
        ConfigurationError: a file or a broken link is in the way; names key, path and remedy.
    """
    for key in ("results", "resources"):
        place = Path(plain_path(config[key]))
        for folder in (place, *place.parents):
            if folder.exists() and not folder.is_dir():
                raise ConfigurationError(
                    f"{key}: is {config[key]!r}, but {str(folder)!r} is a file; name a folder"
                )
            if folder.is_symlink() and not folder.exists():
                raise ConfigurationError(
                    f"{key}: is {config[key]!r}, but {str(folder)!r} leads to {str(folder.readlink())!r}, "
                    "which is not there; make that folder, or name another"
                )


def _check_digits(value: Any, key: str) -> None:
    """Refuse whole numbers that Python refuses to print, before a message has to print them."""
    parts: Mapping[Any, Any] = (
        value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
    )
    for name, part in parts.items():
        _check_digits(part, f"{key}.{name}" if key else str(name))
    if isinstance(value, int) and abs(value) >= 10**1000:
        raise ConfigurationError(f"{key}: is a number of more than a thousand digits; give a smaller one")


LONGEST_NAME = 200
"""The most bytes in the name of a file or folder, before the workflow appends to it."""

_FOLDERS_OF_RESULTS = (
    "evaluation", "figures", "history", "logs", "models", "runs", "tables", "timing", "training",
    "report.html",
)  # fmt: skip
_FOLDERS_OF_RESOURCES = ("arrays", "checkpoints", "compiled_programs", "fairdata", "synthetic")


def _check_paths(config: Mapping[str, Any]) -> None:
    for key in PATHS:
        path: Any = config
        for name in key.split("."):
            path = path[name]
        if path is not None:
            _check_path(path, key)
    for key in ("results", "resources"):
        if (plain := plain_path(config[key])) in (".", "/"):
            raise ConfigurationError(f"{key}: is {config[key]!r}; name a folder that holds nothing else")
        if plain.startswith("-"):
            raise ConfigurationError(f"{key}: is {config[key]!r}; must not begin with -, as options do")
    results, resources = (os.path.realpath(plain_path(config[key])) for key in ("results", "resources"))
    places = f"results is {config['results']!r} and resources {config['resources']!r}"
    if results == resources:
        raise ConfigurationError(f"{places}, which is one folder; name two")
    for inner, outer, taken in (
        (results, resources, _FOLDERS_OF_RESOURCES),
        (resources, results, _FOLDERS_OF_RESULTS),
    ):
        if inner.startswith(f"{outer}/") and inner.removeprefix(f"{outer}/").split("/")[0] in taken:
            raise ConfigurationError(
                f"{places}: the one lies in a folder of the other that the study fills itself; "
                "name two that lie side by side"
            )


def _check_path(path: str, key: str) -> None:
    if path != path.strip():
        raise ConfigurationError(f"{key}: is {path!r}; must not begin or end with a space")
    longest = max(len(os.fsencode(name)) for name in path.split("/"))
    if longest > LONGEST_NAME:
        raise ConfigurationError(
            f"{key}: is {_shown(path)}; no folder or file in it may have a name of more than "
            f"{LONGEST_NAME} bytes"
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


_STRICT_TYPES = {
    # The standard accepts 240.0 as an integer and NaN as a number; command lines do not.
    "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda _, value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
    ),
}


_TYPES = {
    "array": "a list",
    "integer": "a whole number",
    "null": "null",
    "number": "a finite number",
    "object": "a mapping of keys to values",
    "string": "text",
}

_PATTERNS = {
    r"^https?://[^{}\x00-\x20\x7f\ud800-\udfff]+\Z": "must begin with http:// or https:// and hold "
    "no spaces or braces",
    r"^[^{}\x00-\x1f\x7f\ud800-\udfff]+\Z": "must hold no braces, which Snakemake takes for "
    "wildcards, and no line breaks or other control characters",
    r"^[A-Za-z0-9][A-Za-z0-9_-]*\Z": "must be of letters, digits, - and _ and begin with a letter or digit",
    rf"^([0-9]|{LARGEST_OUTPUT_CROP})\Z": f"must be an output crop, 0 to {LARGEST_OUTPUT_CROP}",
}

_WORDING: Mapping[str, Callable[[Any], str]] = {
    "enum": lambda allowed: f"must be one of {', '.join(map(str, allowed))}",
    "const": lambda allowed: f"must be {allowed}",
    "minimum": lambda limit: f"must be at least {limit}",
    "maximum": lambda limit: f"must be at most {limit}",
    "exclusiveMinimum": lambda limit: f"must be above {limit}",
    "exclusiveMaximum": lambda limit: f"must be below {limit}",
    "multipleOf": lambda factor: f"must be a multiple of {factor}",
    "type": lambda types: (
        f"must be {' or '.join(_TYPES[each] for each in ([types] if isinstance(types, str) else types))}"
    ),
    "minItems": lambda count: f"must list at least {count}",
    "minLength": lambda _: "must not be empty",
    "maxLength": lambda count: f"must have at most {count} characters",
    "uniqueItems": lambda _: "must not list anything twice",
    "pattern": lambda pattern: _PATTERNS.get(pattern, f"must match {pattern}"),
    "contains": lambda wanted: f"must contain {wanted.get('const')}",
}


def _explained(fault: Any) -> str:
    """Describe a schema fault: key, value, what is allowed."""
    key = ".".join(map(str, fault.absolute_path)) or "top level"
    if fault.validator == "additionalProperties":
        known = sorted(fault.schema.get("properties", {}))
        unknown = sorted(map(str, set(fault.instance) - set(known)))
        hints = [near[0] for name in unknown if (near := difflib.get_close_matches(name, known, n=1))]
        hint = f"did you mean {', '.join(map(repr, hints))}? Known" if hints else "known"
        return f"{key}: unknown key {', '.join(map(repr, unknown))}; {hint}: {', '.join(known)}"
    if fault.validator == "required":
        missing = [name for name in fault.validator_value if name not in fault.instance]
        return f"{key}: lacks {', '.join(map(repr, missing))}; add it"
    wording = _WORDING.get(fault.validator)
    message = f"{key}: is {_shown(fault.instance)}; "
    message += wording(fault.validator_value) if wording else fault.message
    return message + (_number_hint(fault.instance) if fault.validator == "type" else "")


def _shown(value: Any) -> str:
    """Write a value as YAML does, shortened for a message."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


_SHOWN = 100


def _number_hint(value: Any) -> str:
    """Say what to write if YAML read a number as text, as it does with 1e-3."""
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return ""
    plain = str(int(number)) if number.is_integer() else repr(number)
    if "." not in plain:
        plain = plain.replace("e", ".0e")
    return f", and YAML takes this for text; write {plain}"
