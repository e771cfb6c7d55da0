"""Download the published data set: find the archives, fetch them, extract the scenes."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.files import write_json
from spatial_prediction.retrieval import fairdata, parallel_retrieval


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
    parser.add_argument(
        "--archive-list", type=Path, help="JSON of the archives in place of the catalogue, such as a manifest"
    )
    parser.add_argument("--mirror", help="address of the archives' folder; by default from the description")
    parser.add_argument("--max-archives", type=int, help="fetch only so many archives, the first by name")
    parser.add_argument("--parallel", type=int, default=4, help="archives fetched at once")
    parser.add_argument("--directory", type=Path, required=True, help="where the scenes go")
    parser.add_argument("--manifest", type=Path, required=True, help="JSON of what was fetched, written last")
    options = parser.parse_args(arguments)
    for name in ("max_archives", "parallel"):
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name.replace('_', '-')} {number}: must be 1 or more")

    if options.archive_list is not None:
        archives = parallel_retrieval.archives_of_manifest(options.archive_list, mirror=options.mirror)
    else:
        archives = fairdata.find_archives(
            options.identifier,
            catalogue=options.catalogue,
            version=options.catalogue_version,
            mirror=options.mirror,
        )
    notes = parallel_retrieval.retrieve_scenes(
        archives[: options.max_archives], options.directory, parallel=options.parallel
    )
    write_json(
        options.manifest,
        {
            "identifier": options.identifier,
            "catalogue": str(options.archive_list or options.catalogue),
            "archives_in_catalogue": len(archives),
            "archives": notes,
        },
    )


if __name__ == "__main__":
    command.run(main)
