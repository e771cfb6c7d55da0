"""The network that codes: made integers, and kept with what it has seen.

All that codecs need to know of where a network comes from is :func:`load_network`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from spatial_prediction.compression import integer_linerwkv
from spatial_prediction.compression.integer_linerwkv import IntegerNetwork, load_network_with_header
from spatial_prediction.compression.linerwkv import LineRWKV, Published, quantised
from spatial_prediction.errors import CheckpointError
from spatial_prediction.provenance import provenance
from spatial_prediction.studies.compression.config import NetworkSettings
from spatial_prediction.studies.compression.cubes.cube import Cube


class TrainedNetwork(NamedTuple):
    """A network to code with.

    Attributes:
        network: its integer form.
        trained_on: what it was trained on, in words.
        seen: identities of the cubes it was trained on; None where nobody knows them.
        size: bytes of the file that keeps it.
    """

    network: IntegerNetwork
    trained_on: str
    seen: tuple[str, ...] | None
    size: int

    def bytes_counted(self, identity: str) -> int:
        """Bytes that count in the rate of a cube: none, unless the network has seen it, or may have."""
        return self.size if self.seen is None or identity in self.seen else 0


def load_network(path: Path) -> TrainedNetwork:
    """Read what :func:`save_network` or :func:`save_published` wrote.

    Raises:
        CheckpointError: the file is missing, damaged, or no such network.
    """
    network, header = load_network_with_header(path)
    if not header.keys() >= {"trained_on", "seen"}:
        raise CheckpointError(
            f"{path}: does not say what its network has seen, so its bytes might have to count; "
            "give a network of train_linerwkv.py or build_linerwkv.py"
        )
    seen = None if header["seen"] is None else tuple(header["seen"])
    return TrainedNetwork(network, header["trained_on"], seen, path.stat().st_size)


def save_network(
    path: Path, model: LineRWKV, cubes: Sequence[Cube], settings: NetworkSettings, *, trained_on: str
) -> None:
    """Write the integer form of a network with what it was trained on, complete or not at all."""
    about: dict[str, Any] = {
        "trained_on": trained_on,
        "seen": [cube.identity() for cube in cubes],
        "sources": [cube.source for cube in cubes],
        "provenance": provenance(training=asdict(settings)),
    }
    integer_linerwkv.save_network(path, quantised(model), about)


def save_published(path: Path, model: LineRWKV, published: Published) -> None:
    """Write the integer form of a network of its authors, of which nobody says what cubes it has seen."""
    about: dict[str, Any] = {
        "trained_on": "HySpecNet-11k (EnMAP) by its authors; cubes not known",
        "seen": None,
        "sources": [published.address],
        "provenance": provenance(parameters=published.digest),
    }
    integer_linerwkv.save_network(path, quantised(model), about)
