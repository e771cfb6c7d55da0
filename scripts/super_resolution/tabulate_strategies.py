"""Tabulate deviation and error at seams against compute, by strategy of tiling."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.files import written_aside
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Tabulate deviation and error against the compute of each strategy of tiling, formatted and as plain numbers
for spatial_prediction.tiling.cheapest_strategy. Example:

  python scripts/super_resolution/tabulate_strategies.py --seams results/evaluation/strategies/*.parquet \\
      --table results/tables/strategies --costs results/evaluation/strategies.csv"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_seams(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_table(parser)
    parser.add_argument(
        "--costs", required=True, metavar="FILE", help="plain numbers to write (.csv), one line a strategy"
    )
    options = parser.parse_args(arguments)
    costs = metrics.strategy_costs(metrics.read_seams(options.seams), rng_seed=options.bootstrap_seed)
    plotting.write_table(figures.strategy_table(costs), options.table)
    with written_aside(options.costs) as temporary:
        costs.to_csv(temporary, index=False)


if __name__ == "__main__":
    command.run(main)
