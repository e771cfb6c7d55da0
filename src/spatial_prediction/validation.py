"""Checks of a whole configuration, in words a user can act on. Imports nothing heavy."""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from spatial_prediction.config import Preset, TrainingSettings
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.presets import PRESETS, check_preset_name, presets_from_names


def validated(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Preset]:
    """Check a whole configuration and return its presets.

    Args:
        config: the merged configuration.
        schema: its JSON schema (``workflow/schemas/config.schema.yaml``).

    Raises:
        ConfigurationError: names every faulty key, its value, and what is allowed there.
    """
    import jsonschema  # not needed where the configuration has been checked already

    known_types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(_STRICT_TYPES)
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=known_types)
    faults = validator(schema).iter_errors(dict(config))
    messages = [_explained(fault) for fault in sorted(faults, key=lambda fault: list(map(str, fault.path)))]
    if messages:
        # a mapping that lacks several keys is reported once for each of them
        raise ConfigurationError("the configuration has faults:\n  " + "\n  ".join(dict.fromkeys(messages)))

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
    _check_dataset(config["dataset"], config["training"]["low_res_size"], config["figures"])
    return presets


_PADDING_NAME = (
    r"zero|repl|refl|circ|rand|auto|extr[1-9]\d*|lp[12]x1cs"
    r"|lp(?P<length>[1-9]\d*)x([1-9]\d*)?[13579](c|_batch|_across|_decay[1-9]\d*|_band(?P<band>[1-9]\d*))?"
)
_BORDER_NAME = r"part|diff|diff_edge|ebh|lp[1-9]\d*x([1-9]\d*)?[13579]_(learned|running)"


def check_padding_name(name: str, key: str) -> None:
    """Raise ConfigurationError, naming ``key``, where no padding is called ``name``."""
    known = re.fullmatch(_PADDING_NAME, name)
    if not known:
        raise ConfigurationError(
            f"{key}: no padding is called {name!r}; use zero, repl, refl, circ, rand, auto, extrN, lp1x1cs, "
            "lp2x1cs, or with odd W lpHxW, lpHxWc, lpHxW_batch, lpHxW_bandN, lpHxW_decayN or lpHxW_across"
        )
    if known["band"] and int(known["band"]) <= int(known["length"]):
        raise ConfigurationError(
            f"{key}: the band of {name!r} must be wider than the neighbourhood is long; "
            f"use at least {int(known['length']) + 1}"
        )


def check_border_name(name: str, key: str) -> None:
    """Raise ConfigurationError, naming ``key``, where a convolution knows no border handling ``name``."""
    if re.fullmatch(_BORDER_NAME, name):
        return
    try:
        check_padding_name(name, key)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error}; convolutions know part, diff, diff_edge, ebh, lpHxW_learned and lpHxW_running besides"
        ) from None


def _check_baselines(baselines: Mapping[Any, str], custom: Mapping[str, Mapping[str, Any]]) -> None:
    """A baseline need not be trained, but must be a preset, and one of the output crop it stands for."""
    table = dict(PRESETS) | {name: Preset(**fields) for name, fields in custom.items()}
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
    needed = (low_res_size + 2) * 4
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
    # The standard takes 240.0 for an integer, and not-a-number for a number; command lines do not.
    "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda _, value: (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
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
    "^https?://": "must begin with http:// or https://",
    "^[A-Za-z0-9][A-Za-z0-9_-]*$": "must be of letters, digits, - and _ and begin with a letter or digit",
    "^([0-9]|10)$": "must be an output crop, 0 to 10",
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
    "uniqueItems": lambda _: "must not list anything twice",
    "pattern": lambda pattern: _PATTERNS.get(pattern, f"must match {pattern}"),
    "contains": lambda wanted: f"must contain {wanted.get('const')}",
}


def _explained(fault: Any) -> str:
    """Put a schema fault in words: key, value, what is allowed."""
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
    """A value as YAML writes it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _number_hint(value: Any) -> str:
    """What to write where YAML took a number for text, as it does with 1e-3."""
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
