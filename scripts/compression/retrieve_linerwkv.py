"""Fetch a network that the authors of LineRWKV trained; it has no licence."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.compression.config import PUBLISHED_SIZES
from spatial_prediction.studies.compression.stages.published import retrieve_linerwkv


def main(arguments: Sequence[str] | None = None) -> None:
    """Fetch as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--size", choices=PUBLISHED_SIZES, default="xs", help="size of the network")
    parser.add_argument("--output", type=Path, required=True, help="file to write (.pth)")
    options = parser.parse_args(arguments)
    retrieve_linerwkv(options.size, options.output)


if __name__ == "__main__":
    command.run(main)
