from dataclasses import replace
from itertools import islice

import jax
import numpy as np
import pytest
from tests.line_networks import random_network

from spatial_prediction.compression import integer_linerwkv
from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.errors import CheckpointError, SceneError
from spatial_prediction.studies.compression.config import NetworkSettings, SyntheticSettings
from spatial_prediction.studies.compression.cubes.cube import Cube
from spatial_prediction.studies.compression.cubes.synthetic import synthetic_cube
from spatial_prediction.studies.compression.network import load_network, save_network
from spatial_prediction.studies.compression.stages.inputs import train_linerwkv
from spatial_prediction.studies.compression.training import UNIT, batches, train_network

SETTINGS = NetworkSettings(steps=2, batch_size=1, lines=3, columns=2, bands=3)
SMALL = SyntheticSettings(rows=6, columns=5, bands=4)


def numbered(name, shape):
    return Cube(np.arange(np.prod(shape)).reshape(shape).astype(np.uint16), name, name)


def test_patches_are_windows_of_any_cube():
    cubes = [numbered("a", (6, 5, 4)), numbered("b", (3, 7, 9))]
    drawn = list(islice(batches(cubes, replace(SETTINGS, batch_size=3, lines=16)), 20))
    assert {patches.shape for patches in drawn} == {(3, 3, 2, 3)}  # the second cube has three lines
    patches = np.rint(np.concatenate(drawn) * UNIT).astype(int)
    steps = {(patch[1, 0, 0] - patch[0, 0, 0], patch[0, 1, 0] - patch[0, 0, 0]) for patch in patches}
    assert steps == {(20, 4), (63, 9)}
    assert all((np.diff(patch, axis=2) == 1).all() for patch in patches)
    again = list(islice(batches(cubes, replace(SETTINGS, batch_size=3, lines=16)), 20))
    assert all(np.array_equal(one, other) for one, other in zip(drawn, again, strict=True))


def test_a_cube_of_one_line_cannot_be_trained_on():
    with pytest.raises(SceneError, match="flat: has one line"):
        next(batches([numbered("flat", (1, 5, 4))], SETTINGS))


def test_a_network_that_does_not_say_what_it_has_seen_is_refused(tmp_path):
    path = tmp_path / "network.safetensors"
    integer_linerwkv.save_network(path, quantised(random_network()))
    with pytest.raises(CheckpointError, match=r"network\.safetensors: does not say what .* has seen"):
        load_network(path)


@pytest.fixture
def promotion_of_optax():
    """Optax multiplies whole numbers by others, which JAX allows everywhere but in these tests."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("quick_compilation", "promotion_of_optax")
def test_a_network_learns_and_is_kept_with_what_it_has_seen(tmp_path):
    cube, path = synthetic_cube(SMALL), tmp_path / "network.safetensors"
    model = train_network([cube], SETTINGS)
    before = train_network([cube], replace(SETTINGS, steps=1))
    assert quantised(before).identity() != quantised(model).identity()
    save_network(path, model, [cube], SETTINGS, trained_on="one cube")
    read = load_network(path)
    assert read.network.identity() == quantised(model).identity()
    assert read.trained_on == "one cube"
    assert read.bytes_counted(cube.identity()) == read.size == path.stat().st_size
    assert read.bytes_counted(synthetic_cube(replace(SMALL, seed=1)).identity()) == 0
    other = tmp_path / "synthetic.safetensors"
    train_linerwkv([], replace(SMALL, seed=5), 2, SETTINGS, output=other)
    assert load_network(other).trained_on == "2 synthetic cubes, seeds 5 to 6"
    assert load_network(other).seen == tuple(
        synthetic_cube(replace(SMALL, seed=seed)).identity() for seed in (5, 6)
    )
