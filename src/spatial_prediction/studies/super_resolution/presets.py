"""The table of presets. Imports nothing heavy, so that a dry run needs no JAX."""

from collections.abc import Iterable, Mapping
from typing import Any

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.names import PaddingName, parse_border_name, suggestion
from spatial_prediction.studies.super_resolution.config import Preset


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
    "rand": _same("rand"),
    "part": Preset("part", "repl"),
    "diff": Preset("diff", "extr3"),
    "diff_edge": Preset("diff_edge", "extr3"),
    "ebh": Preset("ebh", "repl"),
    "auto": _same("auto"),
    "lp2x3c": _same("lp2x3c"),
    "lp2x3_batch": _same("lp2x3_batch"),
    "lp2x3_band8": _same("lp2x3_band8"),
    "lp2x3_decay8": _same("lp2x3_decay8"),
    "lp1x1_across": _same("lp1x1_across"),
    "lp2x3_learned": Preset("lp2x3_learned", "lp2x3"),
    "lp2x3_running": Preset("lp2x3_running", "lp2x3"),
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
        check_preset_name(name, "presets", table)
        if names.count(name) > 1:
            raise ConfigurationError(f"presets: {name!r} is listed {names.count(name)} times; list it once")
    return {name: table[name] for name in names}


def paddings_in_use(presets: Mapping[str, Preset], others: Iterable[str]) -> list[str]:
    """Name each padding of some presets once, in their order, and then the others.

    Ways to handle borders that pad nothing, or only within a network, are left out.
    """
    of_presets = (name for preset in presets.values() for name in (preset.padding, preset.upscale_padding))
    return [
        name
        for name in dict.fromkeys([*of_presets, *others])
        if isinstance(parse_border_name(name), PaddingName)
    ]


def check_preset_name(name: str, key: str, table: Mapping[str, Preset]) -> None:
    """Raise ConfigurationError, naming ``key``, if ``table`` has no preset called ``name``."""
    if name not in table:
        raise ConfigurationError(
            f"{key}: no preset is called {name!r}; {suggestion(name, table)}; "
            "others can be defined under custom_presets"
        )
