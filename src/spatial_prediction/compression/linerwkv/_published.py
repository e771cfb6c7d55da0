"""Where the authors' networks lie, and by what their parameters are known again."""

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from spatial_prediction.errors import CheckpointError

_COMMIT = "7e45941191699fdc23833d8dadce7a391a3d2bde"
_RESULTS = f"https://raw.githubusercontent.com/diegovalsesia/linerwkv/{_COMMIT}/Results/linerwkv"


class Published(NamedTuple):
    """A network of the authors of LineRWKV.

    Attributes:
        size: of the network.
        address: of its file, at one commit of their repository.
        digest: :func:`parameters_digest` of its parameters; nobody states a checksum of the file.
    """

    size: str
    address: str
    digest: str

    def check(self, arrays: Mapping[str, Float32[np.ndarray, "..."]], name: str) -> None:
        """Check that parameters are these; messages call their file by ``name``.

        Raises:
            CheckpointError: they are others.
        """
        if (found := parameters_digest(arrays)) != self.digest:
            raise CheckpointError(
                f"{name}: holds parameters of SHA-256 {found}, and the published network {self.size!r} has "
                f"{self.digest}; take the file of {self.address}"
            )


PUBLISHED = {
    size: Published(size, f"{_RESULTS}/{size}/rwkv-final.pth", digest)
    for size, digest in (
        ("xs", "097698934231ac5efd060b701b94d5e44073b7d316c8071a47a00572b09742ea"),
        ("s", "ef7453cab049143f36bb56dbe982047f7ea726f310818cad1af25550a4891e45"),
    )
}
"""Networks that can be had: trained by their authors on HySpecNet-11k, without a licence, so none comes with
this package."""


def parameters_digest(arrays: Mapping[str, Float32[np.ndarray, "..."]]) -> str:
    """SHA-256 of parameters: names in order, each with its shape and its little-endian float32 numbers."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        numbers = arrays[name].astype("<f4", order="C")
        digest.update(json.dumps([name, numbers.shape]).encode())
        digest.update(numbers.tobytes())
    return digest.hexdigest()
