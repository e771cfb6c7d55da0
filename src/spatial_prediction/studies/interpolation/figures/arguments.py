"""Command-line arguments that scripts of figures and tables share."""

import argparse
from pathlib import Path

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting.arguments import add_figure as add_figure
from spatial_prediction.plotting.arguments import add_table as add_table
from spatial_prediction.studies.interpolation.config import CONDITIONING
from spatial_prediction.studies.interpolation.figures.reconstruction import (
    Reconstruction,
    read_reconstruction,
)
from spatial_prediction.studies.interpolation.results import read_scores, winners


def add_scores(parser: argparse.ArgumentParser) -> None:
    """Add ``--scores``."""
    parser.add_argument(
        "--scores", type=Path, required=True, help="scores of all models and baselines (gather_scores.py)"
    )


def add_headline(parser: argparse.ArgumentParser) -> None:
    """Add ``--headline``."""
    parser.add_argument(
        "--headline",
        choices=CONDITIONING,
        required=True,
        help="protocol that is shown and that models are chosen by",
    )


def add_winner(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`winning_reconstruction` needs."""
    add_scores(parser)
    add_headline(parser)
    parser.add_argument("--mask", required=True, help="name of the masks")
    parser.add_argument(
        "--reconstructions", type=Path, required=True, help="folder of the reconstructions on these masks"
    )
    parser.add_argument("--field", type=Path, required=True, help="field (build_field.py)")


def winning_reconstruction(options: argparse.Namespace) -> Reconstruction:
    """Reconstruction by the model that is best on hidden pixels of validation frames.

    Raises:
        ConfigurationError: no model was evaluated on these masks.
    """
    chosen = winners(read_scores(options.scores), condition_on=options.headline)
    if options.mask not in chosen:
        raise ConfigurationError(
            f"{options.scores}: no model could be evaluated on masks {options.mask!r} under protocol "
            f"{options.headline!r}; see how its fits ended"
        )
    path = options.reconstructions / f"{chosen[options.mask]}.safetensors"
    return read_reconstruction(path, options.field)
