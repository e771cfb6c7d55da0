"""The compression study's check of its configuration, in words a user can act on. Imports nothing heavy."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from spatial_prediction.configuration import check_paths, check_shape
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.normalisation import with_plain_paths
from spatial_prediction.studies.compression.config import WITH_NETWORK, NetworkSettings
from spatial_prediction.studies.compression.cubes.listing import RawCube, list_cubes

KEY = "compression"
"""The key at the top of the configuration that is this study's."""

PATHS = (
    "compression.cubes.directory.path",
    "compression.network.published.path",
    "compression.training.directory.path",
)

SYNTHETIC = "synthetic"
"""Name of the synthetic cube."""


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
    cubes, training = section["cubes"], section["training"]
    for part, source in ((cubes, cubes["source"]), (training, training["data"])):
        if source == "directory" and part["directory"]["path"] is None:
            key = "cubes" if part is cubes else "training"
            raise ConfigurationError(f"compression.{key}.directory.path: is null; name the folder")
    if not section["predictors"] and not section["peers"]["codecs"]:
        raise ConfigurationError(
            "compression.predictors: names none, and neither does peers.codecs; name one"
        )
    if trains_network(section):
        _check_training(cubes, training)
    return section


def _check_training(cubes: Mapping[str, Any], training: Mapping[str, Any]) -> None:
    synthetic = cubes["source"] == "synthetic"
    if training["data"] == "others" and synthetic:
        raise ConfigurationError(
            "compression.training.data: is 'others', and there is one synthetic cube; train on synthetic"
        )
    made = training["synthetic"]
    seeds = range(made["seed"], made["seed"] + made["cubes"])
    if training["data"] == "synthetic" and synthetic and cubes["synthetic"]["seed"] in seeds:
        raise ConfigurationError(
            f"compression.cubes.synthetic.seed: is {cubes['synthetic']['seed']}, one of {seeds[0]} to "
            f"{seeds[-1]}, which the network is trained on; choose another"
        )


def needs_network(section: Mapping[str, Any]) -> bool:
    """Whether a predictor of a section needs a trained network."""
    return bool(set(section["predictors"]) & set(WITH_NETWORK))


def trains_network(section: Mapping[str, Any]) -> bool:
    """Whether such a network is one that the study trains."""
    return needs_network(section) and section["network"]["source"] == "trained"


def published_weights(section: Mapping[str, Any]) -> str | None:
    """A copy of the published network's file on this machine; None where it is to be fetched, or not needed.

    Raises:
        ConfigurationError: there is no such file.
    """
    if not needs_network(section) or trains_network(section):
        return None
    path: str | None = section["network"]["published"]["path"]
    if path is not None and not Path(path).is_file():
        raise ConfigurationError(
            f"compression.network.published.path: there is no file {path!r}; copy rwkv-final.pth there, or "
            "write null to have it fetched"
        )
    return path


def network_settings(section: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings of a section that say how the network is trained."""
    return {field.name: section["training"][field.name] for field in fields(NetworkSettings)}


def networks_of(section: Mapping[str, Any], cubes: Sequence[str]) -> dict[str, str]:
    """For each cube the trained network that codes it, by name: one for all, or one that saw all others."""
    data = section["training"]["data"]
    return {cube: f"without_{cube}" if data == "others" else data for cube in cubes}


def raw_cubes(section: Mapping[str, Any]) -> dict[str, RawCube]:
    """Raw files of the cubes that a valid section asks for, by name; none where the cube is synthetic.

    Raises:
        ConfigurationError: a file cannot give a name, or the network is to be trained on other cubes and
            there are none.
        SceneError: there is no such folder or no such file, or a file is not described.
    """
    cubes = section["cubes"]
    if cubes["source"] == "synthetic":
        return {}
    found = list_cubes(cubes["directory"]["path"], cubes["directory"]["pattern"])
    if len(found) < 2 and section["training"]["data"] == "others" and trains_network(section):
        raise ConfigurationError(
            f"compression.training.data: is 'others', and {cubes['directory']['path']!r} has one cube; add "
            "cubes, or train on synthetic"
        )
    return found


def training_raw_cubes(section: Mapping[str, Any]) -> dict[str, RawCube]:
    """Raw files of a folder that the network is trained on, by name; none where there is no such folder.

    Raises:
        ConfigurationError: a file cannot give a name.
        SceneError: there is no such folder or no such file, or a file is not described.
    """
    training = section["training"]
    if training["data"] != "directory" or not trains_network(section):
        return {}
    return list_cubes(training["directory"]["path"], training["directory"]["pattern"])


def codecs_of(section: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Codecs and largest errors that a valid section asks for."""
    peers = section["peers"]
    return [
        *((predictor, delta) for predictor in section["predictors"] for delta in section["deltas"]),
        *((peer, delta) for peer in peers["codecs"] for delta in peers["deltas"]),
    ]
