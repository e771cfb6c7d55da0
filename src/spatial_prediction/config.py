"""Typed settings and the preset table. Imports nothing heavy, so that a dry run needs no JAX."""

import argparse
import dataclasses
import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from spatial_prediction.errors import ConfigurationError

Settings = TypeVar("Settings")


@dataclasses.dataclass(frozen=True)
class Preset:
    """Border handling of one network.

    Fields:
        padding: name of the padding before every 3x3 convolution.
        upscale_padding: name of the padding before the bilinear upscaling.
        output_crop: input pixels cut off each side of the output, in training loss and result alike.
    """

    padding: str
    upscale_padding: str
    output_crop: int = 0


def _same(padding: str, output_crop: int = 0) -> Preset:
    return Preset(padding, padding, output_crop)


PRESETS: Mapping[str, Preset] = {
    # published (arXiv 2502.12300, Table 1)
    "zero-repl": Preset("zero", "repl"),
    "zero-zero": _same("zero"),
    "repl": _same("repl"),
    "extr1": _same("extr1"),
    "extr2": _same("extr2"),
    "extr3": _same("extr3"),
    "lp1x1cs": _same("lp1x1cs"),
    "lp2x1": _same("lp2x1"),
    "lp2x1cs": _same("lp2x1cs"),
    "lp2x3": _same("lp2x3"),
    "lp2x5": _same("lp2x5"),
    "lp3x3": _same("lp3x3"),
    "lp4x5": _same("lp4x5"),
    "lp6x7": _same("lp6x7"),
    "zero_oc1": Preset("zero", "repl", 1),
    "repl_oc1": _same("repl", 1),
    "lp1x1cs_oc1": _same("lp1x1cs", 1),
    "lp2x1cs_oc1": _same("lp2x1cs", 1),
    "lp2x3_oc1": _same("lp2x3", 1),
    "zero_oc5": Preset("zero", "repl", 5),
    "repl_oc5": _same("repl", 5),
    "lp2x3_oc5": _same("lp2x3", 5),
    # ours
    "refl": _same("refl"),
    "circ": _same("circ"),
}
"""Border handling of every preset, in the order of figures and tables."""

PUBLISHED_PRESETS = tuple(list(PRESETS)[:22])


def presets_from_names(names: list[str], custom: Mapping[str, Mapping[str, Any]]) -> dict[str, Preset]:
    """Look up presets by name, in the order given.

    Args:
        names: names from ``PRESETS`` or ``custom``.
        custom: the user's own presets, fields of :class:`Preset` by name.

    Raises:
        ConfigurationError: a name is unknown, given twice, or custom and published at once.
    """
    for name in custom:
        if name in PRESETS:
            raise ConfigurationError(f"custom_presets.{name}: this name is taken; choose another")
    table = dict(PRESETS) | {name: Preset(**fields) for name, fields in custom.items()}
    for name in names:
        if name not in table:
            near = difflib.get_close_matches(name, table, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigurationError(
                f"presets: no preset is called {name!r}; {hint}Known: {', '.join(table)}; "
                "others can be defined under custom_presets"
            )
        if names.count(name) > 1:
            raise ConfigurationError(f"presets: {name!r} is listed {names.count(name)} times; list it once")
    return {name: table[name] for name in names}


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """Size of the network.

    Fields:
        hidden_channels: channels between head and projection.
        blocks: RepViT blocks.
        upscale_factor: output pixels per input pixel along each axis.
    """

    hidden_channels: int = 16
    blocks: int = 8
    upscale_factor: int = 4


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained; the defaults are the published ones.

    Fields:
        steps: updates in all.
        batch_size: tiles per update.
        low_res_size: rows and columns of the network's input.
        initial_learning_rate: rate at step 0.
        learning_rate: rate from ``warmup_steps`` to ``decay_start``.
        warmup_steps: steps of the linear rise.
        decay_start: step at which the linear fall to zero begins.
        adam_beta_1: decay of Adam's first moment.
        adam_beta_2: decay of Adam's second moment.
        adam_epsilon: added to Adam's denominator.
        test_every: steps between measurements of the test loss.
        checkpoint_every: steps between checkpoints.
        divergence_loss: a run whose loss exceeds this has diverged.
        divergence_grace_steps: steps at the start in which it may.
    """

    steps: int = 1_500_000
    batch_size: int = 64
    low_res_size: int = 48
    initial_learning_rate: float = 5e-6
    learning_rate: float = 0.014
    warmup_steps: int = 100
    decay_start: int = 1_000_000
    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_epsilon: float = 1e-3
    test_every: int = 1000
    checkpoint_every: int = 10_000
    divergence_loss: float = 1e6
    divergence_grace_steps: int = 100

    def __post_init__(self) -> None:
        if not 0 < self.warmup_steps <= self.decay_start < self.steps:
            raise ConfigurationError(
                f"training: warmup_steps {self.warmup_steps}, decay_start {self.decay_start} and steps "
                f"{self.steps} must follow one another (0 < warmup_steps <= decay_start < steps)"
            )


def add_settings(parser: argparse.ArgumentParser, settings: type) -> None:
    """Add an option for each field of a settings class, with its default and its documentation."""
    group = parser.add_argument_group(settings.__name__)
    described = _field_descriptions(settings)
    for field in dataclasses.fields(settings):
        group.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=field.type if isinstance(field.type, type) else str,
            default=field.default,
            help=described[field.name],
        )


def settings_from(options: argparse.Namespace, settings: type[Settings]) -> Settings:
    """Collect the fields of a settings class from parsed options."""
    names = [field.name for field in dataclasses.fields(settings)]  # type: ignore[arg-type]
    return settings(**{name: getattr(options, name) for name in names})


def _field_descriptions(settings: type) -> dict[str, str]:
    """Read ``name: what it is.`` lines from the Fields section of the docstring."""
    described = {}
    for line in (settings.__doc__ or "").partition("Fields:")[2].splitlines():
        name, colon, text = line.strip().partition(": ")
        if colon:
            described[name] = text.rstrip(".")
    return described


def validated(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Preset]:
    """Check a whole configuration and return its presets.

    Args:
        config: the merged configuration.
        schema: its JSON schema (``workflow/schemas/config.schema.yaml``).

    Raises:
        ConfigurationError: names every faulty key, its value, and what is allowed there.
    """
    import jsonschema  # not needed where the configuration has been checked already

    faults = jsonschema.Draft202012Validator(schema).iter_errors(dict(config))
    messages = [_explained(fault) for fault in sorted(faults, key=lambda fault: list(map(str, fault.path)))]
    if messages:
        raise ConfigurationError("the configuration has faults:\n  " + "\n  ".join(messages))

    presets = presets_from_names(config["presets"], config["custom_presets"])
    for name, preset in presets.items():
        for padding in (preset.padding, preset.upscale_padding):
            check_padding_name(padding, f"custom_presets.{name}")
    for key in ("evaluation.nmse_paddings", "figures.sample_paddings"):
        section, _, field = key.partition(".")
        for padding in config[section][field]:
            check_padding_name(padding, key)
    for name in config["evaluation"]["nmse_presets"]:
        if name not in presets:
            raise ConfigurationError(
                f"evaluation.nmse_presets: {name!r} is not among presets, so no network of it is trained; "
                "add it to presets or remove it here"
            )
    TrainingSettings(**config["training"])
    _check_dataset(config["dataset"], config["training"]["low_res_size"], config["figures"])
    return presets


def check_padding_name(name: str, key: str) -> None:
    """Raise ConfigurationError, naming ``key``, where no padding is called ``name``."""
    form = r"zero|repl|refl|circ|extr[1-9]\d*|lp[12]x1cs|lp[1-9]\d*x(\d*[13579])"
    if not re.fullmatch(form, name):
        raise ConfigurationError(
            f"{key}: no padding is called {name!r}; use zero, repl, refl, circ, extrN, lpHxW with odd W, "
            "lp1x1cs or lp2x1cs"
        )


def _check_dataset(dataset: Mapping[str, Any], low_res_size: int, figures: Mapping[str, Any]) -> None:
    if dataset["source"] == "directory" and not dataset["directory"]["path"]:
        raise ConfigurationError("dataset.directory.path is null; set it to your folder of scenes")
    if dataset["source"] == "synthetic" and dataset["test_scenes"] >= dataset["synthetic"]["scenes"]:
        raise ConfigurationError(
            f"dataset.test_scenes is {dataset['test_scenes']} of {dataset['synthetic']['scenes']} scenes; "
            "leave at least one for training"
        )
    needed = (low_res_size + 2) * 4
    if dataset["scene_size"] < needed:
        raise ConfigurationError(
            f"dataset.scene_size is {dataset['scene_size']}; tiles of training.low_res_size {low_res_size} "
            f"need at least {needed} pixels"
        )
    for key in ("sample_scene", "sample_scenes"):
        wanted = figures[key] if isinstance(figures[key], list) else [figures[key]]
        if max(wanted) >= dataset["test_scenes"]:
            raise ConfigurationError(
                f"figures.{key} asks for test scene {max(wanted)}, counted from 0, but dataset.test_scenes "
                f"is {dataset['test_scenes']}"
            )


def _explained(fault: Any) -> str:
    """Put a schema fault in words: key, value, what is allowed."""
    key = ".".join(map(str, fault.absolute_path)) or "top level"
    if fault.validator == "additionalProperties":
        known = sorted(fault.schema.get("properties", {}))
        unknown = sorted(set(fault.instance) - set(known))
        hints = [near[0] for name in unknown if (near := difflib.get_close_matches(name, known, n=1))]
        hint = f"; did you mean {', '.join(map(repr, hints))}?" if hints else ""
        return f"{key}: unknown key {', '.join(map(repr, unknown))}{hint} Known: {', '.join(known)}"
    if fault.validator == "required":
        missing = sorted(set(fault.validator_value) - set(fault.instance))
        return f"{key}: lacks {', '.join(map(repr, missing))}"
    wording = {
        "enum": lambda v: f"must be one of {', '.join(map(str, v))}",
        "const": lambda v: f"must be {v}",
        "minimum": lambda v: f"must be at least {v}",
        "maximum": lambda v: f"must be at most {v}",
        "exclusiveMinimum": lambda v: f"must be above {v}",
        "exclusiveMaximum": lambda v: f"must be below {v}",
        "multipleOf": lambda v: f"must be a multiple of {v}",
        "type": lambda v: f"must be of type {' or '.join([v] if isinstance(v, str) else v)}",
        "minItems": lambda v: f"must have at least {v} entry",
        "minLength": lambda v: f"must have at least {v} character",
        "uniqueItems": lambda _: "must not list anything twice",
        "pattern": lambda v: f"must match {v}",
        "contains": lambda v: f"must contain {v.get('const')}",
    }.get(fault.validator)
    return f"{key}: is {fault.instance!r}; " + (wording(fault.validator_value) if wording else fault.message)
