"""Tabulate which runs succeeded and how the others failed."""

from collections.abc import Sequence

from spatial_prediction import command, figures, metrics
from spatial_prediction.figures import arguments as shared

DESCRIPTION = """\
Tabulate, for each preset, how many runs were tried and succeeded, and at which step and why the others
failed. Example:

  python scripts/tabulate_runs.py --runs results/runs/*/seed_*.json \\
      --presets '{"zero-repl": 0, "lp2x3": 0}' --table results/tables/runs"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_runs(parser)
    shared.add_presets(parser)
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    runs = metrics.read_runs(options.runs)
    figures.write_table(figures.run_table(runs, options.presets), options.table)


if __name__ == "__main__":
    command.run(main)
