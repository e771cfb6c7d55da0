"""Files of integer networks: named arrays with a checksum, and nothing that could run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spatial_prediction.compression.integer_linerwkv.bounds import check
from spatial_prediction.compression.integer_linerwkv.network import IntegerNetwork
from spatial_prediction.errors import CheckpointError
from spatial_prediction.named_arrays import load_arrays, save_arrays

_KIND = "integer LineRWKV"


def save_network(path: str | Path, network: IntegerNetwork, about: Mapping[str, Any] | None = None) -> None:
    """Write a network as a safetensors file, complete or not at all.

    Args:
        path: of the file.
        network: what codes.
        about: more for the file's header, anything that JSON can hold; says nothing to a codec.

    Raises:
        CheckpointError: it is no network that can be used.
        WriteError: the disk is full, the folder read-only, and so on.
    """
    check(network)
    header = {**(about or {}), "kind": _KIND, "identity": network.identity()}
    save_arrays(Path(path), network.to_named_arrays(), header)


def load_network(path: str | Path) -> IntegerNetwork:
    """Read a network that :func:`save_network` wrote.

    Raises:
        CheckpointError: the file is missing, damaged, holds something else, or numbers that no network has.
    """
    return load_network_with_header(path)[0]


def load_network_with_header(path: str | Path) -> tuple[IntegerNetwork, dict[str, Any]]:
    """Read a network and what else was written ``about`` it, like :func:`load_network`."""
    arrays, header = load_arrays(path)
    if header.get("kind") != _KIND:
        raise CheckpointError(
            f"{path}: holds no integer network of LineRWKV; write one with save_network(path, "
            "linerwkv.quantised(model))"
        )
    try:
        network = IntegerNetwork.from_named_arrays(arrays)
        check(network)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    return network, header
