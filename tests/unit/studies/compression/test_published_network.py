"""The network of its authors: fetched from a local server, known again, and made integers."""

import numpy as np
import pytest
from tests.catalogue_server import CatalogueServer
from tests.line_networks import random_arrays
from tests.state_dict_writer import file_of

from spatial_prediction.compression.linerwkv import LineRWKV, Published, parameters_digest, quantised
from spatial_prediction.errors import CheckpointError, RetrievalError
from spatial_prediction.retrieval.web import Patience
from spatial_prediction.studies.compression.network import load_network
from spatial_prediction.studies.compression.stages import published as module
from spatial_prediction.studies.compression.stages.published import build_linerwkv, retrieve_linerwkv

ARRAYS = {name: np.asarray(array, np.float32) for name, array in random_arrays().items()}
FILE = file_of(ARRAYS)
PATIENCE = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, connect_timeout=2.0, read_timeout=5.0)


@pytest.fixture
def server(monkeypatch):
    """A server with a network that counts as published, of the size xs."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with CatalogueServer({"rwkv-final.pth": FILE}) as server:
        tiny = Published("xs", f"{server.mirror}/rwkv-final.pth", parameters_digest(ARRAYS))
        monkeypatch.setattr(module, "PUBLISHED", {"xs": tiny})
        yield server


def test_it_is_fetched_and_codes(server, tmp_path):
    weights, network = tmp_path / "linerwkv_xs.pth", tmp_path / "network.safetensors"
    server.faults = ["drop"]
    retrieve_linerwkv("xs", weights, patience=PATIENCE)
    assert weights.read_bytes() == FILE
    build_linerwkv(weights, "xs", network)
    read = load_network(network)
    assert read.network.identity() == quantised(LineRWKV.from_named_arrays(ARRAYS)).identity()
    assert "HySpecNet-11k" in read.trained_on
    assert read.seen is None
    assert read.bytes_counted("of any cube") == network.stat().st_size


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            file_of(ARRAYS | {"bandzerodec.conv_out.bias": np.ones(1, np.float32)}),
            "holds parameters of SHA-256",
        ),
        (b"<html>sign in</html>", "no whole file of PyTorch"),
    ],
)
def test_something_else_is_not_kept(server, tmp_path, content, said):
    server.files = {"rwkv-final.pth": content}
    with pytest.raises(CheckpointError, match=rf"rwkv-final\.pth: .*{said}"):
        retrieve_linerwkv("xs", tmp_path / "linerwkv_xs.pth", patience=PATIENCE)
    assert list(tmp_path.iterdir()) == []
    copy = tmp_path / "copy.pth"
    copy.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"copy\.pth: .*{said}"):
        build_linerwkv(copy, "xs", tmp_path / "network.safetensors")
    assert list(tmp_path.iterdir()) == [copy]


def test_where_it_cannot_be_had_a_copy_will_do(server, tmp_path):
    server.files = {}
    with pytest.raises(
        RetrievalError, match=r"404 .*; or name a copy .* compression\.network\.published\.path"
    ):
        retrieve_linerwkv("xs", tmp_path / "linerwkv_xs.pth", patience=PATIENCE)
