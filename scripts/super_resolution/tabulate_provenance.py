"""Tabulate where the study's numbers come from."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command, plotting
from spatial_prediction.files import read_object
from spatial_prediction.studies.super_resolution import figures
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Tabulate versions, commit, device, configuration, data and run times, as recorded in the files of a study.
Example:

  python scripts/super_resolution/tabulate_provenance.py --runs results/runs/*/seed_*.json \\
      --timing-training results/timing/training/*.json --summary resources/arrays/summary.json \\
      --table results/tables/provenance"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_runs(parser)
    shared.add_timings(parser)
    parser.add_argument("--summary", type=Path, required=True, metavar="FILE", help="summary of the arrays")
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    timings = [
        read_object(path, ["kind", "provenance.packages"])
        for path in (*options.timing_training, *options.timing_inference)
    ]
    runs = [
        read_object(path, ["preset", "seed", "status", "seconds", "provenance.settings.training"])
        for path in options.runs
    ]
    summary = read_object(
        options.summary, ["size", "scene_count", "train.mean", "train.sha256", "test.mean", "test.sha256"]
    )
    table = figures.provenance_table(runs, timings, summary)
    plotting.write_table(table, options.table)


if __name__ == "__main__":
    command.run(main)
