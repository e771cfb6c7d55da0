"""The command ``spatial-prediction``, also ``python -m spatial_prediction``."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spatial_prediction import __version__, command
from spatial_prediction.config import ModelSettings, TrainingSettings
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.normalisation import read_mapping, typed
from spatial_prediction.validation import validated

DESCRIPTION = """\
Tools for people who run the study.

  spatial-prediction estimate --configfile config/paper.yaml     what training would cost on this device"""

ESTIMATE = """\
Time a few training steps of each preset on this device and tell what training the whole study would cost.

Run it in the folder of the study, a checkout of the repository: config.yaml is there, and not in the
installed package. It takes a minute or so a preset, most of it to compile; on a processor shared with other
programs the estimate is as unsteady as they are."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name."""
    parser = command.argument_parser(DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"spatial-prediction {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    estimating = commands.add_parser(
        "estimate",
        help="what training a study would cost on this device",
        description=ESTIMATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    estimating.add_argument("--configfile", type=Path, help="overlay on config.yaml; default none")
    estimating.add_argument(
        "--presets", nargs="+", help="time these only, of the presets configured; default all"
    )
    estimating.add_argument("--repeats", type=int, default=5, help="timed steps of each preset; default 5")
    estimating.set_defaults(run=_estimate)
    options = parser.parse_args(arguments)
    options.run(options)


def _estimate(options: argparse.Namespace) -> None:
    if options.repeats < 1:
        raise ConfigurationError(f"--repeats: is {options.repeats}; must be at least 1")
    config, presets = _configured(options.configfile)
    unknown = set(options.presets or ()) - set(presets)
    if unknown:
        raise ConfigurationError(
            f"--presets: {', '.join(sorted(unknown))} not in the configuration; it has {', '.join(presets)}"
        )
    from spatial_prediction.experiments import estimate  # JAX, which --help can do without

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
        "the installed package holds the library alone"
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


def run() -> None:
    """Run as the installed command does: like a job of a study, with plain messages and exit codes."""
    command.take_job_environment()
    command.run(main)


if __name__ == "__main__":
    run()
