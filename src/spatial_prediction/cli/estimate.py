"""``spatial-prediction estimate``: what training a study would cost on this device."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.normalisation import read_mapping, typed
from spatial_prediction.studies.super_resolution.config import ModelSettings
from spatial_prediction.studies.super_resolution.validation import validated
from spatial_prediction.training_settings import TrainingSettings

DESCRIPTION = """\
Time a few training steps of each preset on this device and estimate what training the whole study would cost.

Run it in the folder of the study, a checkout of the repository, because config.yaml is not in the
installed package. It takes about a minute per preset, mostly for compilation. If other programs use the
processor, the estimate varies with their load."""


def add_to(commands: Any) -> None:
    """Add the subcommand to ``commands``, the subparsers of a parser."""
    parser = commands.add_parser(
        "estimate",
        help="what training a study would cost on this device",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--configfile", type=Path, help="overlay on config.yaml; default none")
    parser.add_argument("--presets", nargs="+", help="time only these of the presets configured; default all")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps of each preset; default 5")
    parser.set_defaults(run=_estimate)


def _estimate(options: argparse.Namespace) -> None:
    if options.repeats < 1:
        raise ConfigurationError(f"--repeats: is {options.repeats}; must be at least 1")
    config, presets = _configured(options.configfile)
    unknown = set(options.presets or ()) - set(presets)
    if unknown:
        raise ConfigurationError(
            f"--presets: {', '.join(sorted(unknown))} not in the configuration; it has {', '.join(presets)}"
        )
    from spatial_prediction.studies.super_resolution.stages import (
        estimate,  # imports JAX, which --help does not need
    )

    chosen = {name: presets[name] for name in options.presets or presets}
    training = dict(config["training"])
    seeds_per_job = training.pop("seeds_per_job")
    settings, runs = TrainingSettings(**training), len(config["seeds"])
    costs = estimate.estimate(
        chosen,
        runs=runs,
        seeds_per_job=seeds_per_job,
        model_settings=ModelSettings(**config["model"]),
        settings=settings,
        repeats=options.repeats,
    )
    print(estimate.described(costs, runs=runs, settings=settings))


def _configured(overlay: Path | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read and check the configuration that Snakemake would use; return it and its presets."""
    remedy = (
        "run this in the folder of the study, a checkout of the repository; "
        "the installed package holds only the library"
    )
    config, schema = (
        read_mapping(Path(name), remedy) for name in ("config.yaml", "workflow/schemas/config.schema.yaml")
    )
    if overlay is not None:
        config = _overlaid(config, read_mapping(overlay, "--configfile names an overlay on config.yaml"))
    config = typed(config, schema)
    return config, validated(config, schema)


def _overlaid(config: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Merge key by key, as Snakemake does; lists are replaced."""
    merged = dict(config)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _overlaid(merged[key], value) if both else value
    return merged
