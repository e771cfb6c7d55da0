"""Upscale one scene from file to file, as the command ``spatial-prediction upscale`` does."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.cli.upscale import add_options, settings_from
from spatial_prediction.upscaling.scenes import upscale


def main(arguments: Sequence[str] | None = None) -> None:
    """Upscale as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--scene", type=Path, required=True, help="the raster to upscale")
    add_options(parser)
    options = parser.parse_args(arguments)
    upscale(options.scene, options.out, model=options.model, settings=settings_from(options))


if __name__ == "__main__":
    command.run(main)
