"""The command ``spatial-prediction``, also ``python -m spatial_prediction``."""

from collections.abc import Sequence

from spatial_prediction import __version__, command
from spatial_prediction.cli import compress, decompress, estimate, export, inspect, interpolate, upscale

DESCRIPTION = """\
Upscale satellite scenes, fill gaps, compress cubes, use trained networks, and tools for people who run the
study.

  spatial-prediction upscale scene.tif --out scene_4x.tif        a seamless image, four times as fine
  spatial-prediction interpolate sst.nc --out filled.nc          a field without gaps, with uncertainty
  spatial-prediction compress cube.hdr --out cube.spc            a cube of whole numbers, smaller
  spatial-prediction decompress cube.spc --out cube.hdr          that cube again
  spatial-prediction inspect cube.spc --verify                   what a compressed file holds
  spatial-prediction export --out lp2x3.jaxexport                a network as a program for JAX
  spatial-prediction estimate --configfile config/paper.yaml     what training would cost on this device"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name."""
    parser = command.argument_parser(DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"spatial-prediction {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    upscale.add_to(commands)
    interpolate.add_to(commands)
    compress.add_to(commands)
    decompress.add_to(commands)
    inspect.add_to(commands)
    estimate.add_to(commands)
    export.add_to(commands)
    options = parser.parse_args(arguments)
    options.run(options)


def run() -> None:
    """Run as the installed command does: like a job of a study, with plain messages and exit codes."""
    command.take_job_environment()
    command.run(main)


if __name__ == "__main__":
    run()
