"""Command-line arguments that scripts of evaluations share; imports nothing heavy."""

import argparse
from pathlib import Path
from typing import Any

from spatial_prediction import command
from spatial_prediction.studies.interpolation.config import CONDITIONING, PARTS, Frames


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """Add what is evaluated on, protocols, parts that are pictured, and what is written."""
    parser.add_argument("--field", type=Path, required=True, help="field (build_field.py)")
    parser.add_argument("--masks", type=Path, required=True, help="observed pixels (build_masks.py)")
    parser.add_argument(
        "--condition-on", nargs="+", choices=CONDITIONING, required=True, help="what predictions may know"
    )
    parser.add_argument("--headline", choices=CONDITIONING, required=True, help="that of the reconstruction")
    parser.add_argument(
        "--pictured", nargs="+", choices=PARTS, required=True, help="parts that are reconstructed"
    )
    parser.add_argument("--scores", type=Path, required=True, help="table to write (.parquet)")
    parser.add_argument(
        "--reconstruction", type=Path, required=True, help="reconstruction to write (.safetensors)"
    )
    command.add_settings(parser, Frames)


def evaluation(options: argparse.Namespace) -> dict[str, Any]:
    """Read those options as arguments of an evaluation."""
    return {
        "field_path": options.field,
        "masks_path": options.masks,
        "frames": command.settings_from(options, Frames),
        "condition_on": options.condition_on,
        "headline": options.headline,
        "pictured": options.pictured,
        "scores_path": options.scores,
        "reconstruction_path": options.reconstruction,
    }
