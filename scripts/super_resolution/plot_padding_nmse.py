"""Plot how well paddings predict what lies beyond the edge of each feature map."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

DESCRIPTION = """\
Plot the squared error of each padding over the variance of the true values (NMSE), by feature map, over all
successful seeds; one panel per preset that the network was trained with. 1 is padding with the mean. Example:

  python scripts/super_resolution/plot_padding_nmse.py --nmse results/evaluation/nmse.parquet \\
      --presets '{"zero_oc5": 5, "lp2x3_oc5": 5}' --figure results/figures/padding_nmse"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    parser.add_argument(
        "--nmse",
        required=True,
        metavar="FILE",
        help="gathered padding errors, a Parquet table (gather_evaluation.py)",
    )
    shared.add_presets(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    nmse = metrics.nmse_by_feature_map(metrics.read_table(options.nmse, "nmse"))
    plotting.save_figure(figures.padding_nmse(nmse, options.presets), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
