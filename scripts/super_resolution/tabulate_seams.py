"""Tabulate what happens where tiles meet, by preset."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Tabulate deviations, steps and visible seams of each preset with bootstrapped 95 % intervals over seeds.
Example:

  python scripts/super_resolution/tabulate_seams.py --seams results/evaluation/seams/*.parquet \\
      --presets '{"zero-repl": 0, "lp2x3_oc5": 5}' --table results/tables/seams"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_seams(parser)
    shared.add_presets(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    table = metrics.read_seams(options.seams)
    results = metrics.seam_results(table, ["preset"], rng_seed=options.bootstrap_seed)
    plotting.write_table(figures.seam_table(results, options.presets), options.table)


if __name__ == "__main__":
    command.run(main)
