"""Tabulate cost and accuracy of each preset."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Tabulate, for each preset: runs, largest batches, throughput, test MSE with its 95 % interval over seeds, and
the difference from the baseline of its output crop over the kept area and in its outermost shell, and from
bilinear upscaling. Example:

  python scripts/super_resolution/tabulate_results.py --mse results/evaluation/mse.parquet \\
      --runs results/runs/*/seed_*.json \\
      --timing-training results/timing/training/*.json --timing-inference results/timing/inference/*.json \\
      --presets '{"zero-repl": 0, "lp2x3": 0}' --table results/tables/general"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_mse(parser)
    shared.add_runs(parser)
    shared.add_timings(parser)
    shared.add_bilinear(parser)
    shared.add_presets(parser)
    shared.add_baselines(parser, metrics.BASELINES)
    shared.add_bootstrap_seed(parser)
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    errors, runs = metrics.read_table(options.mse, "mse"), metrics.read_runs(options.runs)
    bilinear, against = None, None
    if options.bilinear:
        bilinear = metrics.bilinear_by_crop(metrics.read_bilinear(options.bilinear))
        test_mse = metrics.mse_at_own_crop(errors, options.presets)
        against = metrics.against_bilinear(test_mse, options.presets, bilinear)
    results = metrics.general_results(
        errors,
        runs,
        metrics.read_timings(options.timing_training, "training"),
        metrics.read_timings(options.timing_inference, "inference"),
        options.presets,
        options.baselines,
        bilinear,
        rng_seed=options.bootstrap_seed,
    )
    warnings = figures.study_warnings(runs, against, options.presets)
    figures.log_warnings(warnings)
    plotting.write_table(figures.general_table(results, bilinear, warnings), options.table)


if __name__ == "__main__":
    command.run(main)
