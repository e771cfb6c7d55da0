"""Plot how tiled predictions deviate from untiled ones, by distance from the seam."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot the mean square deviation of the tiled from the untiled prediction of each preset, by distance from the
seam, with bootstrapped 95 % intervals over seeds. Example:

  python scripts/super_resolution/plot_seams.py --seams results/evaluation/seams/*.parquet \\
      --presets '{"zero-repl": 0, "lp2x3_oc5": 5}' --figure results/figures/seams"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    shared.add_seams(parser)
    shared.add_presets(parser)
    shared.add_bootstrap_seed(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    table = metrics.read_seams(options.seams)
    deviations = metrics.deviation_by_distance(table, rng_seed=options.bootstrap_seed)
    plotting.save_figure(figures.seams(deviations, options.presets), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
