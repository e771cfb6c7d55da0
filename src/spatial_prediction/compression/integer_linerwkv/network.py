"""The integer form of a network: what codes a cube, bit for bit the same everywhere."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from spatial_prediction.compression.integer_linerwkv.tables import STREAM_BITS
from spatial_prediction.errors import CheckpointError

ACTIVATION_BITS = 14
"""Inputs of matrix products are of at most 2**14 in magnitude, and sums stay below 2**30."""
LARGEST_STREAM = 2**22
"""Features between blocks are clipped to this."""
LARGEST_LOG = 2**23
"""Log weights are clipped to this before their last six bits are added."""
LOG_STEP_BITS = 6
"""Bits that log weights of single values lack of those of averages."""
EMPTY = -(2**30)
"""Log weight of an empty past."""
NORM_BITS = 11
"""Fractional bits of normalised features before their gain."""
GAIN_BITS = 14
"""Fractional bits of the gains of layer norms that precede a matrix product."""
SAMPLE_BITS = 10
"""Fractional bits of normalised samples."""
PREDICTION_BITS = 12
"""Fractional bits of normalised predictions."""
LAYER_BITS = 10
"""Fractional bits of the features between convolutions."""
DECODER_BITS = 8
"""Fractional bits of the features that enter the decoder, whose range is larger."""


class Norm(NamedTuple):
    """Layer norms that leave features with 12 fractional bits: (layers, features) int32 and (layers,)."""

    gain: np.ndarray
    bias: np.ndarray
    shift: np.ndarray


class Convolutions(NamedTuple):
    """Convolutions with layer norm: weights (layers, outputs, inputs) int16, biases, shifts (layers,)."""

    weight: np.ndarray
    bias: np.ndarray
    shift: np.ndarray
    norm: Norm


class Blocks(NamedTuple):
    """RWKV blocks.

    Attributes:
        entry: the first block's ``ln0``.
        gain: of ``ln1`` and ``ln2``, (blocks, 2, features) int32.
        bias: likewise.
        mixes: shares of this step and of the one before in the inputs of key, value, receptance and of
            the channel mixing's key and receptance, (blocks, 5, 2, features) int32 of 15 fractional bits.
        matrices: key, value, receptance, output, and the channel mixing's key, receptance, value,
            (blocks, 7, outputs, inputs) int16.
        shifts: of their results, (blocks, 7) int32.
        decay: of log weights at each step, (blocks, features) int32.
        first: added to the log weight of a value in its own step, likewise.
    """

    entry: Norm
    gain: np.ndarray
    bias: np.ndarray
    mixes: np.ndarray
    matrices: np.ndarray
    shifts: np.ndarray
    decay: np.ndarray
    first: np.ndarray


class Head(NamedTuple):
    """From features to a prediction: weight (features,) int16, bias and shift, int32."""

    weight: np.ndarray
    bias: np.int32
    shift: np.int32


class IntegerNetwork(NamedTuple):
    """All that the integer form needs; ``quantised`` makes it.

    Attributes:
        encoder_in: the first convolution, of three inputs.
        encoder: those after it, of three times the features.
        lines: blocks whose time is the lines.
        bands: blocks whose time is the bands.
        decoder: convolutions of one tap.
        band_zero: prediction of the first band.
        head: prediction of the others.
    """

    encoder_in: Convolutions
    encoder: Convolutions
    lines: Blocks
    bands: Blocks
    decoder: Convolutions
    band_zero: Head
    head: Head

    @property
    def features(self) -> int:
        """Width of every layer."""
        return self.head.weight.shape[0]

    def to_named_arrays(self) -> dict[str, np.ndarray]:
        """Return ``{name: array}``, names such as ``lines.entry.gain``."""
        return dict(_named(self, ""))

    @classmethod
    def from_named_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "IntegerNetwork":
        """Undo :meth:`to_named_arrays`.

        Raises:
            CheckpointError: arrays are missing, or belong to something else. Their numbers are not checked.
        """
        network: IntegerNetwork = _assembled(cls, "", arrays)
        if unknown := sorted(set(arrays) - set(network.to_named_arrays())):
            raise CheckpointError(f"the arrays {', '.join(unknown)} are of no integer network")
        return network

    def identity(self) -> str:
        """Return the SHA-256 of all numbers, which says whether two networks predict alike."""
        digest = hashlib.sha256()
        for name, array in sorted(self.to_named_arrays().items()):
            digest.update(json.dumps([name, array.shape]).encode())
            digest.update(array.astype("<i4").tobytes())
        return digest.hexdigest()


def _named(part: Any, prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    for field in part._fields:
        value = getattr(part, field)
        if isinstance(value, tuple):
            yield from _named(value, f"{prefix}{field}.")
        else:
            yield prefix + field, value


def _assembled(part: Any, prefix: str, arrays: Mapping[str, np.ndarray]) -> Any:
    values = {}
    for field, kind in part.__annotations__.items():
        if issubclass(kind, tuple):
            values[field] = _assembled(kind, f"{prefix}{field}.", arrays)
        elif prefix + field not in arrays:
            raise CheckpointError(f"the integer network lacks the array {prefix + field!r}")
        else:
            array = arrays[prefix + field]
            values[field] = array if array.ndim or kind is np.ndarray else array[()]
    return part(**values)


def variance_guard(features: int) -> np.int32:
    """Return what layer norms add to the sum of squares of ``features`` times the features, in their units.

    It stands for 1e-5 added to the variance.
    """
    return np.int32(features**3 * 4**STREAM_BITS // 100_000)
