"""Files of integer networks: whole, checked, and what damage or other content does."""

import numpy as np
import pytest
from tests.line_networks import random_network

from spatial_prediction.compression.integer_linerwkv import IntegerNetwork, load_network, save_network
from spatial_prediction.compression.linerwkv import SIZES, Size, quantised
from spatial_prediction.errors import CheckpointError
from spatial_prediction.named_arrays import save_arrays

NETWORK = quantised(random_network(spread=2.0))


@pytest.mark.parametrize("size", [Size(8, 1, 1, 1, 1), Size(16, 3, 1, 2, 2), *SIZES.values()])
def test_networks_come_back(size, tmp_path):
    network = quantised(random_network(size, spread=3.0))
    save_network(tmp_path / "network.safetensors", network)
    read = load_network(tmp_path / "network.safetensors")
    assert read.identity() == network.identity()
    own, again = network.to_named_arrays(), read.to_named_arrays()
    for name, array in own.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype


def test_equal_networks_give_equal_files(tmp_path):
    for name in ("a", "b"):
        save_network(tmp_path / name, NETWORK)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def changed(name, change):
    arrays = {each: array.copy() for each, array in NETWORK.to_named_arrays().items()}
    arrays[name] = change(arrays[name])
    return arrays


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("head.weight", lambda a: a[:7], "head.weight has 7 features"),
        ("head.weight", lambda a: a * 0 + np.int16(32767), "sums of its products overflow"),
        ("head.shift", lambda a: a * 0 + np.int32(31), "has 31, more than 30"),
        ("band_zero.bias", lambda a: a * 0 - np.int32(2**30 + 1), "band_zero.bias has 1073741825"),
        ("encoder.weight", lambda a: a[:, :, :-1], "encoder.weight is int16"),
        ("encoder.weight", lambda a: a.astype(np.int32), "encoder.weight is int32"),
        ("encoder.shift", lambda a: a[None], "has 2 axes"),
        ("decoder.norm.gain", lambda a: a + np.int32(2**29), "decoder.norm.gain and bias are so large"),
        ("decoder.norm.shift", lambda a: a * 0, "features beyond"),
        ("lines.shifts", lambda a: a[:0], "of no block"),
        ("lines.shifts", lambda a: a[0], "has 1 axes"),
        ("lines.shifts", lambda a: -a - 1, "lines.shifts is negative"),
        ("lines.mixes", lambda a: a * 0 + np.int32(2**15), "more than one"),
        ("bands.matrices", lambda a: a * 0 + np.int16(-32768), "overflow"),
        ("bands.decay", lambda a: -a, "grows"),
        ("bands.first", lambda a: a + np.int32(-(2**31) + 2**20), "bands.first has"),
        ("bands.gain", lambda a: a * 0 + np.int32(-(2**31)), "bands.gain and bias"),
    ],
)
def test_numbers_that_no_network_has_are_refused(name, change, said, tmp_path):
    path = tmp_path / "network"
    save_arrays(path, changed(name, change), {"kind": "integer LineRWKV"})
    with pytest.raises(CheckpointError, match=f"{path}: .*{said}"):
        load_network(path)


def test_arrays_that_lack_or_are_unknown_are_named():
    arrays = NETWORK.to_named_arrays()
    with pytest.raises(CheckpointError, match="are of no integer network") as caught:
        IntegerNetwork.from_named_arrays(arrays | {"tail.weight": arrays["head.weight"]})
    assert "tail.weight" in str(caught.value)
    del arrays["bands.entry.gain"]
    with pytest.raises(CheckpointError, match=r"lacks the array 'bands\.entry\.gain'"):
        IntegerNetwork.from_named_arrays(arrays)


def test_other_files_are_refused(tmp_path):
    save_arrays(tmp_path / "other", {"a": np.zeros(2)}, {"kind": "RVSR"})
    with pytest.raises(CheckpointError, match="holds no integer network of LineRWKV"):
        load_network(tmp_path / "other")
    with pytest.raises(CheckpointError, match="no such file"):
        load_network(tmp_path / "absent")


def test_damage_is_noticed(tmp_path):
    path = tmp_path / "network"
    save_network(path, NETWORK)
    data = bytearray(path.read_bytes())
    data[-5] ^= 4
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="checksum"):
        load_network(path)
