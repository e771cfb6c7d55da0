"""Export a reconstruction as PDF, a page for each frame."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.interpolation.config import PARTS
from spatial_prediction.studies.interpolation.figures.pages import write_pages
from spatial_prediction.studies.interpolation.figures.reconstruction import read_reconstruction


def main(arguments: Sequence[str] | None = None) -> None:
    """Export as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--reconstruction", type=Path, required=True, help="reconstruction (evaluate_process.py)"
    )
    parser.add_argument("--field", type=Path, required=True, help="field (build_field.py)")
    parser.add_argument(
        "--parts", nargs="*", choices=PARTS, default=list(PARTS), help="parts whose frames have a page"
    )
    parser.add_argument("--output", type=Path, required=True, help="file to write (.pdf)")
    options = parser.parse_args(arguments)
    write_pages(read_reconstruction(options.reconstruction, options.field), options.parts, options.output)


if __name__ == "__main__":
    command.run(main)
