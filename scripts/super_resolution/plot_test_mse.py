"""Plot the test MSE of each preset, run by run."""

from collections.abc import Sequence

from spatial_prediction import command, plotting, statistics
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot the test MSE of every run over the area that its preset keeps, with mean and bootstrapped 95 % interval
over the seeds, grouped by output crop. A dashed line marks each group's baseline. Example:

  python scripts/super_resolution/plot_test_mse.py --mse results/evaluation/mse.parquet \\
      --runs results/runs/*/seed_*.json \\
      --presets '{"zero-repl": 0, "lp2x3": 0}' --figure results/figures/test_mse"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_mse(parser)
    shared.add_runs(parser)
    shared.add_bilinear(parser)
    shared.add_presets(parser)
    shared.add_baselines(parser, metrics.BASELINES)
    shared.add_bootstrap_seed(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    mse_of_runs = metrics.mse_at_own_crop(metrics.read_table(options.mse, "mse"), options.presets)
    intervals = statistics.intervals_by(mse_of_runs, ["preset"], "mse", rng_seed=options.bootstrap_seed)
    counts = metrics.count_runs(metrics.read_runs(options.runs), options.presets) if options.runs else None
    bilinear = None
    if options.bilinear:
        bilinear = metrics.bilinear_by_crop(metrics.read_bilinear(options.bilinear))
    figure = figures.test_mse(mse_of_runs, intervals, options.presets, options.baselines, counts, bilinear)
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
