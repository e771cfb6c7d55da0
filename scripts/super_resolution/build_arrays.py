"""Turn a folder of scenes into the training array, the test array, and a summary of both."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.rasters.band_choice import BANDS
from spatial_prediction.rasters.listing import list_scenes
from spatial_prediction.rasters.offset import as_offset_setting
from spatial_prediction.rasters.settings import as_nodata_setting, as_scale_setting
from spatial_prediction.studies.super_resolution.data.arrays import build_arrays
from spatial_prediction.studies.super_resolution.data.permutation import scene_order


def main(arguments: Sequence[str] | None = None) -> None:
    """List the scenes, order them, and write the arrays."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--scenes", type=Path, required=True, help="folder of scene files")
    parser.add_argument("--pattern", default="*.nc", help="which files of the folder are scenes")
    parser.add_argument("--size", type=int, default=512, help="rows and columns of the corner crop")
    parser.add_argument("--test-scenes", type=int, required=True, help="how many scenes are for testing")
    order = parser.add_mutually_exclusive_group(required=True)
    order.add_argument("--permutation-seed", type=int, help="order the scenes by a seeded permutation")
    order.add_argument("--permutation-file", type=Path, help="order the scenes by a file, one index per line")
    parser.add_argument(
        "--bad-scenes", choices=["error", "skip"], default="error", help="what to do with them"
    )
    parser.add_argument(
        "--offset",
        type=as_offset_setting,
        default="auto",
        metavar="{auto,0,-1000}",
        help="what is added to DN; auto: what each file states",
    )
    parser.add_argument(
        "--bands",
        nargs=3,
        default=list(BANDS),
        metavar=("RED", "GREEN", "BLUE"),
        help="names, numbers from 1 on, or wavelengths such as '665 nm'",
    )
    parser.add_argument(
        "--scale",
        type=as_scale_setting,
        default="auto",
        metavar="{auto,dn,reflectance,FACTOR}",
        help="what stored numbers are; auto: what the packing says, or else DN",
    )
    parser.add_argument(
        "--nodata",
        type=as_nodata_setting,
        default="auto",
        metavar="{auto,none,NUMBER}",
        help="what is missing, besides what each file declares",
    )
    parser.add_argument("--train", type=Path, required=True, help="the training array (.npy)")
    parser.add_argument("--test", type=Path, required=True, help="the test array (.npy)")
    parser.add_argument("--summary", type=Path, required=True, help="JSON of what was done, written last")
    options = parser.parse_args(arguments)

    scenes = list_scenes(options.scenes, options.pattern)
    build_arrays(
        scenes,
        train_path=options.train,
        test_path=options.test,
        summary_path=options.summary,
        test_scenes=options.test_scenes,
        size=options.size,
        order=scene_order(len(scenes), seed=options.permutation_seed, file=options.permutation_file),
        bad_scenes=options.bad_scenes,
        offset=options.offset,
        bands=options.bands,
        scale=options.scale,
        nodata=options.nodata,
    )


if __name__ == "__main__":
    command.run(main)
