"""Build a folder of synthetic scenes in the layout of the published data set."""

import datetime
from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.progress import progress
from spatial_prediction.rasters.scene_writing import write_scene
from spatial_prediction.studies.super_resolution.data.synthetic import synthetic_scene

NO_DATE = datetime.date(1990, 1, 1)
NO_PLACE = 'LOCAL_CS["Synthetic scene, nowhere on Earth",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'


def build_synthetic_scenes(directory: Path, scenes: int, seed: int, size: int) -> None:
    """Write ``scenes`` scenes of ``size`` x ``size`` pixels into ``directory``: 000000.nc, 000001.nc, ..."""
    if scenes < 1:
        raise ConfigurationError(f"--scenes is {scenes}; ask for at least 1 scene.")
    for index in progress(range(scenes), total=scenes, description="Synthetic scenes", unit="scenes"):
        write_scene(
            directory / f"{index:06d}.nc",
            synthetic_scene(seed=seed, index=index, size=size),
            date=NO_DATE,
            x0=0.0,
            y0=0.0,
            epsg_wkt=NO_PLACE,
            title=f"Synthetic scene {index} of seed {seed}, not a satellite image",
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse ``arguments`` and build the scenes."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--directory", type=Path, required=True, help="folder to write the scenes into")
    parser.add_argument("--scenes", type=int, required=True, help="number of scenes")
    parser.add_argument("--seed", type=int, required=True, help="seed of the data set")
    parser.add_argument("--size", type=int, default=520, help="height and width of a scene in pixels of 10 m")
    build_synthetic_scenes(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    command.run(main)
