"""Tabulate which runs succeeded, how the others failed, and which did not beat bilinear upscaling."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Tabulate, for each preset, how many runs were tried and succeeded, at which step and why the others failed,
and which networks do not beat bilinear upscaling. Example:

  python scripts/super_resolution/tabulate_runs.py --runs results/runs/*/seed_*.json \\
      --mse results/evaluation/mse.parquet --bilinear results/evaluation/bilinear.parquet \\
      --presets '{"zero-repl": 0, "lp2x3": 0}' --table results/tables/runs"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_runs(parser)
    shared.add_mse(parser, required=False)
    shared.add_bilinear(parser)
    shared.add_presets(parser)
    shared.add_table(parser)
    parser.add_argument(
        "--note", metavar="FILE", help="what to warn of on the report's first page (reStructuredText)"
    )
    options = parser.parse_args(arguments)
    if bool(options.mse) != bool(options.bilinear):
        parser.error("--mse and --bilinear go together: give both or neither")
    runs = metrics.read_runs(options.runs)
    against, bilinear = None, None
    if options.bilinear:
        bilinear = metrics.bilinear_by_crop(metrics.read_bilinear(options.bilinear))
        test_mse = metrics.mse_at_own_crop(metrics.read_table(options.mse, "mse"), options.presets)
        against = metrics.against_bilinear(test_mse, options.presets, bilinear)
    table = figures.run_table(runs, options.presets, against, bilinear)
    figures.log_warnings(table.warnings)
    plotting.write_table(table, options.table)
    if options.note:
        figures.write_note(options.note, table.warnings)


if __name__ == "__main__":
    command.run(main)
