"""Command-line arguments that scripts of figures and tables share."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from spatial_prediction import command, plotting
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting.arguments import add_figure as add_figure
from spatial_prediction.plotting.arguments import add_table as add_table
from spatial_prediction.plotting.table_files import Table
from spatial_prediction.studies.interpolation.config import CONDITIONING
from spatial_prediction.studies.interpolation.figures.reconstruction import (
    Reconstruction,
    read_reconstruction,
)
from spatial_prediction.studies.interpolation.results import read_scores, selected, winners


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


def plot_scores(
    draw: Callable[[pd.DataFrame, Mapping[str, str]], Figure],
    description: str,
    arguments: Sequence[str] | None,
) -> None:
    """Run a script whose figure shows scores on hidden pixels of test frames.

    Args:
        draw: makes the figure from those scores, of the headline protocol, and each mask's chosen model.
        description: of the script.
        arguments: its command line; None for that of the process.
    """
    parser = command.argument_parser(description)
    add_scores(parser)
    add_headline(parser)
    add_figure(parser)
    options = parser.parse_args(arguments)
    scores = read_scores(options.scores)
    shown = selected(scores, condition_on=options.headline)
    figure = draw(shown, winners(scores, condition_on=options.headline))
    plotting.save_figure(figure, options.figure, options.formats)


def tabulate_scores(
    tabulate: Callable[..., Table], description: str, arguments: Sequence[str] | None
) -> None:
    """Run a script whose table shows scores under every protocol.

    Args:
        tabulate: makes the table from all scores and ``condition_on``, the protocols.
        description: of the script.
        arguments: its command line; None for that of the process.
    """
    parser = command.argument_parser(description)
    add_scores(parser)
    parser.add_argument(
        "--condition-on", nargs="+", choices=CONDITIONING, required=True, help="what predictions might know"
    )
    add_table(parser)
    options = parser.parse_args(arguments)
    table = tabulate(read_scores(options.scores), condition_on=options.condition_on)
    plotting.write_table(table, options.table)
