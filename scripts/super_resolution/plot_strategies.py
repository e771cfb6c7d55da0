"""Plot deviation and error at seams against compute, by strategy of tiling."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot deviation and error against the compute of each strategy of tiling. Example:

  python scripts/super_resolution/plot_strategies.py --seams results/evaluation/strategies/*.parquet \\
      --figure results/figures/strategies"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_seams(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    costs = metrics.strategy_costs(metrics.read_seams(options.seams), rng_seed=options.bootstrap_seed)
    plotting.save_figure(figures.strategies(costs), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
