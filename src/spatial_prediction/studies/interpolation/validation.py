"""The interpolation study's check of its configuration, in words a user can act on. Imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from spatial_prediction.configuration import check_paths, check_shape
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.normalisation import with_plain_paths
from spatial_prediction.studies.interpolation.config import (
    AVERAGE,
    LARGEST_GRID,
    Frames,
    MaskSettings,
)

KEY = "interpolation"
"""The key at the top of the configuration that is this study's."""

PATHS = ("interpolation.field.netcdf.path",)


def validated(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Check the study's section of the configuration, and return it with paths in plain form.

    Args:
        config: the merged configuration; keys of other studies are left unread.
        schema: its JSON schema (``workflow/schemas/config.schema.yaml``).

    Raises:
        ConfigurationError: a key is faulty; names it, its value, and what is allowed.
    """
    check_shape(config, schema, [KEY])
    check_paths(config, PATHS)
    section: dict[str, Any] = with_plain_paths(config, PATHS)[KEY]
    field, frames = section["field"], Frames(**section["frames"])
    if field["source"] == "synthetic":
        made = field["synthetic"]
        frames.check(made["frames"])
        if (size := made["rows"] * made["columns"] + frames.total) > LARGEST_GRID:
            raise ConfigurationError(
                f"interpolation.field.synthetic: {made['rows']} x {made['columns']} pixels and "
                f"{frames.total} frames are {size} together; at most {LARGEST_GRID} can be fitted"
            )
    if field["source"] == "netcdf" and field["netcdf"]["path"] is None:
        raise ConfigurationError("interpolation.field.netcdf.path: is null; name the file")
    for probability in section["masks"]["probabilities"]:
        if float(f"{probability:g}") != probability:
            raise ConfigurationError(
                f"interpolation.masks.probabilities: {probability!r} has more than six digits; round it"
            )
    evaluation = section["evaluation"]
    if evaluation["headline"] not in evaluation["condition_on"]:
        raise ConfigurationError(
            f"interpolation.evaluation.headline: is {evaluation['headline']!r}; must be among condition_on, "
            f"which is {', '.join(evaluation['condition_on'])}"
        )
    if not models_of(section):
        raise ConfigurationError(
            "interpolation.models: names no model; name a time kernel and a space kernel, or a model "
            "of weather"
        )
    if AVERAGE in (weather := section["models"]["weather"]) and len(weather) < 3:
        raise ConfigurationError(
            "interpolation.models.weather: an average is of two models or more; name them beside it"
        )
    return section


def averaged_in(section: Mapping[str, Any]) -> list[str]:
    """Models of weather that are fitted, which an average is of."""
    return [name for name in section["models"]["weather"] if name != AVERAGE]


def models_of(section: Mapping[str, Any]) -> list[str]:
    """Names of the models that a valid section asks for."""
    models = section["models"]
    pairs = [f"{time}-{space}" for time in models["time_kernels"] for space in models["space_kernels"]]
    return [*pairs, *models["weather"]]


def masks_of(section: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Masks that a valid section asks for, by the name under which their results stand."""
    masks = section["masks"]
    drawn = [
        MaskSettings(
            mask_type=kind,
            test_mask_type=kind if masks["test_type"] == "same" else masks["test_type"],
            probability=float(probability),
            seed=seed,
            stream=masks["stream"],
        )
        for kind in masks["types"]
        for probability in masks["probabilities"]
        for seed in masks["seeds"]
    ]
    return {settings.name: asdict(settings) for settings in drawn}
