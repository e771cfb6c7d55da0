"""Make a network that the authors of LineRWKV trained into integers that code."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.compression.config import PUBLISHED_SIZES
from spatial_prediction.studies.compression.stages.published import build_linerwkv


def main(arguments: Sequence[str] | None = None) -> None:
    """Build as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--weights", type=Path, required=True, help="its rwkv-final.pth (retrieve_linerwkv.py)"
    )
    parser.add_argument("--size", choices=PUBLISHED_SIZES, default="xs", help="size of the network")
    parser.add_argument("--output", type=Path, required=True, help="network to write (.safetensors)")
    options = parser.parse_args(arguments)
    build_linerwkv(options.weights, options.size, options.output)


if __name__ == "__main__":
    command.run(main)
