"""Plot test MSE against the throughput of training and inference."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot the test MSE of each preset over its kept area against its training and inference throughput, each
with the largest batch that fits the memory budget. Example:

  python scripts/super_resolution/plot_throughput.py --mse results/evaluation/mse.parquet \\
      --timing-training results/timing/training/*.json --timing-inference results/timing/inference/*.json \\
      --presets '{"zero-repl": 0, "lp2x3": 0}' --figure results/figures/throughput"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_mse(parser)
    shared.add_timings(parser)
    shared.add_presets(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    results = metrics.general_results(
        metrics.read_table(options.mse, "mse"),
        metrics.read_runs([]),
        metrics.read_timings(options.timing_training, "training"),
        metrics.read_timings(options.timing_inference, "inference"),
        options.presets,
        rng_seed=options.bootstrap_seed,
    )
    plotting.save_figure(figures.throughput(results, options.presets), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
