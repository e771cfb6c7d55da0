"""Tabulate cost and accuracy of each preset."""

from collections.abc import Sequence

from spatial_prediction import command, figures, metrics
from spatial_prediction.figures import arguments as shared

DESCRIPTION = """\
Tabulate, for each preset: runs, largest batches, throughput, test MSE with its 95 % interval over seeds, and
the difference from the baseline of its output crop over the kept area and in its outermost shell. Example:

  python scripts/tabulate_results.py --mse results/evaluation/mse.parquet --runs results/runs/*/seed_*.json \\
      --timing-training results/timing/training/*.json --timing-inference results/timing/inference/*.json \\
      --presets '{"zero-repl": 0, "lp2x3": 0}' --table results/tables/general"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_mse(parser)
    shared.add_runs(parser)
    shared.add_timings(parser)
    shared.add_presets(parser)
    shared.add_baselines(parser, metrics.BASELINES)
    shared.add_bootstrap_seed(parser)
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    results = metrics.general_results(
        metrics.read_table(options.mse, "mse"),
        metrics.read_runs(options.runs),
        metrics.read_timings(options.timing_training, "training"),
        metrics.read_timings(options.timing_inference, "inference"),
        options.presets,
        options.baselines,
        rng_seed=options.bootstrap_seed,
    )
    figures.write_table(figures.general_table(results), options.table)


if __name__ == "__main__":
    command.run(main)
