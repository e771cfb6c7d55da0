"""Tabulate test MSE by distance from the border."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Tabulate the test MSE of each preset in each shell (ring of one input pixel) with its 95 % interval, on the
seeds that the presets of an output crop have in common. Italics mark shells outside the training loss.
Example:

  python scripts/super_resolution/tabulate_shells.py --mse results/evaluation/mse.parquet \\
      --presets '{"zero_oc5": 5, "lp2x3_oc5": 5}' --table results/tables/shells"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_mse(parser)
    shared.add_bilinear(parser)
    shared.add_presets(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    errors = metrics.read_table(options.mse, "mse")
    shells = metrics.shell_results(errors, options.presets, rng_seed=options.bootstrap_seed)
    seeds = metrics.common_seeds_by_crop(errors, options.presets)
    bilinear = None
    if options.bilinear:
        bilinear = metrics.bilinear_by_shell(metrics.read_bilinear(options.bilinear))
    plotting.write_table(figures.shell_table(shells, options.presets, seeds, bilinear), options.table)


if __name__ == "__main__":
    command.run(main)
