"""First stages: a cube made or read, a network trained."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spatial_prediction.studies.compression.config import NetworkSettings, SyntheticSettings
from spatial_prediction.studies.compression.cubes.cube import Cube, load_cube, save_cube
from spatial_prediction.studies.compression.cubes.synthetic import synthetic_cube
from spatial_prediction.studies.compression.network import save_network
from spatial_prediction.studies.compression.training import train_network

logger = logging.getLogger(__name__)


def write_cube(cube: Cube, output: Path) -> None:
    """Keep a cube, and say what it is.

    Raises:
        SceneError: its samples are of a type that the predictors do not take.
    """
    save_cube(output, cube)
    rows, columns, bands = cube.samples.shape
    logger.info(
        "%s: %d rows x %d columns x %d bands of %s, %d to %d",
        cube.source, rows, columns, bands, cube.samples.dtype, cube.samples.min(), cube.samples.max(),
    )  # fmt: skip


def train_linerwkv(
    cube_paths: Sequence[Path],
    synthetic: SyntheticSettings,
    count: int,
    settings: NetworkSettings,
    *,
    output: Path,
) -> None:
    """Train a network on stored cubes, or on synthetic ones where none are given, and keep it.

    Args:
        cube_paths: cubes of ``build_cube``.
        synthetic: how synthetic cubes are made; each has the seed after that of the one before.
        count: how many of these.
        settings: of the training.
        output: file of the network.
    """
    if cube_paths:
        cubes = [load_cube(path) for path in cube_paths]
        trained_on = ", ".join(cube.source for cube in cubes)
    else:
        seeds = range(synthetic.seed, synthetic.seed + count)
        cubes = [synthetic_cube(replace(synthetic, seed=seed)) for seed in seeds]
        trained_on = f"{count} synthetic cubes, seeds {seeds[0]} to {seeds[-1]}"
    model = train_network(cubes, settings)
    save_network(output, model, cubes, settings, trained_on=trained_on)
