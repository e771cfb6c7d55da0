"""Plot test MSE by distance from the border."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot the test MSE of each preset in each shell (ring of one input pixel), one panel per output crop, on the
seeds that the presets of that output crop have in common. Shells outside the training loss are shaded.
Example:

  python scripts/super_resolution/plot_shell_mse.py --mse results/evaluation/mse.parquet \\
      --presets '{"zero_oc5": 5, "lp2x3_oc5": 5}' --figure results/figures/shell_mse"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_mse(parser)
    shared.add_bilinear(parser)
    shared.add_presets(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    errors = metrics.read_table(options.mse, "mse")
    shells = metrics.shell_results(errors, options.presets, rng_seed=options.bootstrap_seed)
    bilinear = None
    if options.bilinear:
        bilinear = metrics.bilinear_by_shell(metrics.read_bilinear(options.bilinear))
    figure = figures.shell_mse(shells, options.presets, bilinear)
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
