"""Fetch the published data set: archives by catalogue and mirror, scenes out of the archives."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.data import fairdata
from spatial_prediction.files import write_json


def main(arguments: Sequence[str] | None = None) -> None:
    """Find, fetch, verify and extract the archives; write the manifest last."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--identifier", default=fairdata.IDENTIFIER, help="persistent identifier of the data set"
    )
    parser.add_argument("--catalogue", default=fairdata.CATALOGUE, help="address of the catalogue")
    parser.add_argument(
        "--catalogue-version", choices=["auto", "3", "2"], default="auto", help="auto: 3, then 2"
    )
    parser.add_argument("--mirror", help="address of the archives' folder; by default from the description")
    parser.add_argument("--max-archives", type=int, help="fetch only so many archives, the first by name")
    parser.add_argument("--directory", type=Path, required=True, help="where the scenes go")
    parser.add_argument("--manifest", type=Path, required=True, help="JSON of what was fetched, written last")
    options = parser.parse_args(arguments)
    if options.max_archives is not None and options.max_archives < 1:
        parser.error(f"--max-archives {options.max_archives}: must be 1 or more")

    archives = fairdata.find_archives(
        options.identifier,
        catalogue=options.catalogue,
        version=options.catalogue_version,
        mirror=options.mirror,
    )
    notes = fairdata.retrieve_scenes(archives[: options.max_archives], options.directory)
    write_json(
        options.manifest,
        {
            "identifier": options.identifier,
            "catalogue": options.catalogue,
            "archives_in_catalogue": len(archives),
            "archives": notes,
        },
    )


if __name__ == "__main__":
    command.run(main)
