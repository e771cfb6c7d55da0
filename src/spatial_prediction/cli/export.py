"""``spatial-prediction export``: a network as a program that runs without this package."""

import argparse
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.files import written_aside

DESCRIPTION = """\
Write a trained network as a program that JAX runs by itself, on CPUs, GPUs and TPUs, without this package.

  spatial-prediction export --out lp2x3.jaxexport
  spatial-prediction export results/models/repl/seed_0.safetensors --out repl.jaxexport

The program takes images (batch, 3, height, width), bands B04, B03, B02, float32, DN / 5000 - 1, of any size
from 16 x 16 on, and gives images of four times the resolution. Some border handlings depend on the size: they
need --size. docs/export.md says how to run it."""


def add_to(commands: Any) -> None:
    """Declare the command among the others of a parser (its subparsers)."""
    parser = commands.add_parser(
        "export",
        help="a network as a program that runs without this package",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        metavar="MODEL",
        help="file of a trained network; default the one that comes with the package",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the program to write")
    parser.add_argument(
        "--size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="of all images, in input pixels; default any",
    )
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    from spatial_prediction.models import BUNDLED_NETWORK, load_network  # JAX, which --help can do without
    from spatial_prediction.models.portable import portable_program

    network = load_network(options.model or BUNDLED_NETWORK)
    try:
        program = portable_program(network, size=tuple(options.size) if options.size else None)
    except ValueError as error:
        raise ConfigurationError(f"--size: {error}") from None
    with written_aside(options.out) as temporary:
        temporary.write_bytes(program)
