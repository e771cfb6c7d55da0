"""The network that comes with the package is the one that its model card describes, and it upscales."""

import hashlib
import re

import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import REPOSITORY, shared_folder

from spatial_prediction.models import BUNDLED_NETWORK, bundled_network, network_and_header
from spatial_prediction.rasters.scenes import read_scene
from spatial_prediction.studies.super_resolution.data.permutation import scene_order
from spatial_prediction.studies.super_resolution.data.synthetic import synthetic_scene
from spatial_prediction.studies.super_resolution.task import pair, replicated_bilinear

CARD = (REPOSITORY / "docs/model_card.md").read_text(encoding="utf-8")
SCENES = shared_folder("data") / "sentinel2"
HELD_OUT = scene_order(19, file=REPOSITORY / "config/bundled_network.txt")[7:].tolist()


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def errors(dn):
    """1e6 MSE of bilinear upscaling and of the network."""
    low_res, high_res = pair(jnp.asarray(dn)[None], 4)
    predictions = replicated_bilinear(low_res, 4), bundled_network().apply(low_res)
    return [1e6 * float(jnp.mean((each - high_res) ** 2)) for each in predictions]


def test_the_card_describes_this_file():
    (checksum,) = re.findall(r"SHA-256 `(\w{64})`", CARD)
    assert checksum == sha256(BUNDLED_NETWORK)


def test_the_file_is_small():
    assert BUNDLED_NETWORK.stat().st_size < 1_000_000


def test_the_card_lists_the_scenes_that_the_file_names():
    trained_on = network_and_header(BUNDLED_NETWORK)[1]["training_scenes"]
    section = CARD.partition("## Training scenes")[2].partition("## Held-out scenes")[0]
    listed = re.findall(r"^\| `(\d+)` .*\| `(\w{64})` \|$", section, re.MULTILINE)
    assert [(f"{name}.nc", checksum) for name, checksum in listed] == list(trained_on.items())
    assert not {int(name) for name, _ in listed} & set(HELD_OUT)


def test_the_network_is_merged_and_covers_its_input():
    network = bundled_network()
    assert (network.output_crop, network.upscale_factor) == (0, 4)
    assert network(jnp.zeros((3, 20, 17))).shape == (3, 80, 68)
    assert bundled_network(output_crop=5)(jnp.zeros((3, 20, 17))).shape == (3, 40, 28)
    assert sum(array.size for array in bundled_network(merged=False).to_named_arrays().values()) == 218_928


def test_it_beats_bilinear_upscaling_on_a_scene_made_here():
    bilinear, network = errors(synthetic_scene(seed=1, index=0, size=128))
    assert network < 0.9 * bilinear


@pytest.mark.slow
@pytest.mark.skipif(not SCENES.is_dir(), reason="no folder shared/data/sentinel2 beside the checkout")
@pytest.mark.parametrize("index", HELD_OUT)
def test_errors_of_scenes_held_out_are_those_of_the_card(index):
    measured = errors(read_scene(SCENES / f"{index:06d}.nc"))
    (row,) = re.findall(rf"^\| {index:06d} \| ([\d.]+) \| ([\d.]+) \|", CARD, re.MULTILINE)
    np.testing.assert_allclose(measured, [float(number) for number in row], rtol=1e-3)
    assert measured[1] <= 0.8 * measured[0]
