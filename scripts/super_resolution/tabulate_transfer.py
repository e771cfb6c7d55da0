"""Tabulate what networks do with paddings that they were not trained with."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Tabulate the error by shell and the deviation of networks with each padding. Example:

  python scripts/super_resolution/tabulate_transfer.py --seams results/evaluation/transfer/*.parquet \\
      --trained '{"zero-repl": "zero", "lp2x3": "lp2x3"}' --table results/tables/transfer"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_seams(parser)
    shared.add_trained(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    results = metrics.transfer_results(
        metrics.read_seams(options.seams), options.trained, rng_seed=options.bootstrap_seed
    )
    plotting.write_table(figures.transfer_table(results, options.trained), options.table)


if __name__ == "__main__":
    command.run(main)
