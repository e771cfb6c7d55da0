"""Command-line arguments that the figure and table scripts share."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting.arguments import add_figure as add_figure
from spatial_prediction.plotting.arguments import add_table as add_table
from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP


def add_presets(parser: argparse.ArgumentParser) -> None:
    """Add ``--presets``, parsed to a mapping of preset name to output crop."""
    parser.add_argument(
        "--presets",
        type=parse_presets,
        required=True,
        metavar="JSON",
        help='output crop of each preset in the order shown, such as \'{"zero-repl": 0, "zero_oc5": 5}\'',
    )


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add ``--models``, parsed to a mapping of preset name to weights file."""
    parser.add_argument(
        "--models",
        type=parse_models,
        required=True,
        metavar="JSON",
        help="weights file of each preset in the order shown, such as "
        '\'{"zero-repl": "results/models/zero-repl/seed_0.safetensors"}\'',
    )


def add_seams(parser: argparse.ArgumentParser) -> None:
    """Add ``--seams``."""
    parser.add_argument(
        "--seams", nargs="+", required=True, metavar="FILE", help="Parquet tables of seams, one a preset"
    )


def add_trained(parser: argparse.ArgumentParser) -> None:
    """Add ``--trained``, parsed to a mapping of preset name to the padding it was trained with."""
    parser.add_argument(
        "--trained",
        type=parse_trained,
        required=True,
        metavar="JSON",
        help="padding that each preset was trained with, in the order shown, such as "
        '\'{"zero-repl": "zero", "repl": "repl"}\'',
    )


def add_mse(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add ``--mse``."""
    parser.add_argument(
        "--mse",
        required=required,
        metavar="FILE",
        help="gathered test errors, a Parquet table (gather_evaluation.py)",
    )


def add_bilinear(parser: argparse.ArgumentParser) -> None:
    """Add ``--bilinear``."""
    parser.add_argument(
        "--bilinear",
        metavar="FILE",
        help="test errors of bilinear upscaling, a Parquet table (evaluate_bilinear.py)",
    )


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Add ``--runs``."""
    parser.add_argument(
        "--runs",
        nargs="*",
        default=[],
        metavar="FILE",
        help="run records (JSON), those of diverged runs among them",
    )


def add_crossings(parser: argparse.ArgumentParser) -> None:
    """Add ``--crossings`` and ``--output-crop``."""
    parser.add_argument(
        "--crossings",
        type=Path,
        required=True,
        metavar="FILE",
        help="upscaled crossings of tiles (evaluate_crossings.py)",
    )
    parser.add_argument(
        "--output-crop", type=int, required=True, metavar="N", help="show the presets with this output crop"
    )


def add_timings(parser: argparse.ArgumentParser) -> None:
    """Add ``--timing-training`` and ``--timing-inference``."""
    for kind in ("training", "inference"):
        parser.add_argument(
            f"--timing-{kind}",
            nargs="*",
            default=[],
            metavar="FILE",
            help=f"timings of {kind} (JSON), one a preset",
        )


def add_baselines(parser: argparse.ArgumentParser, default: Mapping[int, str]) -> None:
    """Add ``--baselines``, parsed to a mapping of output crop to preset name."""
    parser.add_argument(
        "--baselines",
        type=parse_baselines,
        default=default,
        metavar="JSON",
        help='preset that others of an output crop are compared with, such as \'{"0": "zero-repl"}\'',
    )


def add_bootstrap_seed(parser: argparse.ArgumentParser) -> None:
    """Add ``--bootstrap-seed``."""
    parser.add_argument(
        "--bootstrap-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the draws behind the 95 %% intervals; equal seeds give equal intervals",
    )


def parse_presets(text: str) -> dict[str, int]:
    """Parse a JSON object of preset names and their output crops.

    Raises:
        ConfigurationError: when the text is something else or the object is empty.
    """
    presets = _parse_object("--presets", text)
    for preset, crop in presets.items():
        if type(crop) is not int or not 0 <= crop <= LARGEST_OUTPUT_CROP:
            raise ConfigurationError(
                f"--presets: output crop of '{preset}' is {crop!r}; "
                f"must be a whole number of input pixels, 0 to {LARGEST_OUTPUT_CROP}."
            )
    if not presets:
        raise ConfigurationError("--presets: names no preset; give at least one with its output crop.")
    return presets


def parse_models(text: str) -> dict[str, Path]:
    """Parse a JSON object of preset names and their weights files.

    Raises:
        ConfigurationError: when the text is something else.
    """
    models = _parse_object("--models", text)
    for preset, path in models.items():
        if not isinstance(path, str):
            raise ConfigurationError(
                f"--models: the weights of '{preset}' are {path!r}; must be the path of a file, as text."
            )
    return {preset: Path(path) for preset, path in models.items()}


def parse_trained(text: str) -> dict[str, str]:
    """Parse a JSON object of preset names and the paddings they were trained with.

    Raises:
        ConfigurationError: when the text is something else or the object is empty.
    """
    trained = _parse_object("--trained", text)
    for preset, padding in trained.items():
        if not isinstance(padding, str):
            raise ConfigurationError(
                f"--trained: the padding of '{preset}' is {padding!r}; must be the name of a padding."
            )
    if not trained:
        raise ConfigurationError("--trained: names no preset; give at least one with its padding.")
    return trained


def parse_baselines(text: str) -> dict[int, str]:
    """Parse a JSON object of output crops (as JSON's keys, strings) and preset names.

    Raises:
        ConfigurationError: when the text is something else.
    """
    baselines = _parse_object("--baselines", text)
    for crop, preset in baselines.items():
        if not crop.isdecimal() or not isinstance(preset, str):
            raise ConfigurationError(
                f"--baselines: {crop!r}: {preset!r} does not map an output crop to a preset's name, "
                'such as "5": "zero_oc5".'
            )
    return {int(crop): preset for crop, preset in baselines.items()}


def _parse_object(argument: str, text: str) -> dict:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{argument}: {text!r} is not JSON ({error}); quote it for the shell."
        ) from error
    if not isinstance(value, dict):
        raise ConfigurationError(f"{argument}: {text!r} is not a JSON object; write {{name: value, …}}.")
    return value
