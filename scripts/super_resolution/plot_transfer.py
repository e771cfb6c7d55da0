"""Plot what networks do with paddings that they were not trained with."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot the deviation and the outermost error of networks with each padding as a map with numbers. Example:

  python scripts/super_resolution/plot_transfer.py --seams results/evaluation/transfer/*.parquet \\
      --trained '{"zero-repl": "zero", "lp2x3": "lp2x3"}' --figure results/figures/transfer"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_seams(parser)
    shared.add_trained(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    results = metrics.transfer_results(
        metrics.read_seams(options.seams), options.trained, rng_seed=options.bootstrap_seed
    )
    plotting.save_figure(figures.transfer(results, options.trained), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
