"""Upscale one scene from file to file, as the command ``spatial-prediction upscale`` does."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.cli import upscale


def main(arguments: Sequence[str] | None = None) -> None:
    """Upscale as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--scene", type=Path, required=True, help="the raster to upscale")
    upscale.add_options(parser)
    options = parser.parse_args(arguments)
    options.run(options)


if __name__ == "__main__":
    command.run(main)
