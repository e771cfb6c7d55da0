"""Plot the test loss of every run during training."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot test loss against training step, one panel per preset: thin lines are seeds, the thick one their median.
The first preset's median is shown in grey in every panel; a cross marks a run that diverged. Example:

  python scripts/super_resolution/plot_loss_histories.py --history results/history.parquet \\
      --runs results/runs/*/seed_*.json \\
      --presets '{"zero-repl": 0, "lp2x3": 0}' --figure results/figures/loss_histories"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    parser.add_argument(
        "--history",
        required=True,
        metavar="FILE",
        help="gathered histories, a Parquet table (gather_evaluation.py)",
    )
    shared.add_runs(parser)
    shared.add_presets(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    history = metrics.read_table(options.history, "history")
    runs = metrics.read_runs(options.runs)
    figure = figures.loss_histories(history, options.presets, runs)
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
