"""Whether numbers are those of an integer network: shapes that belong together, and no sum that overflows.

``quantised`` makes none that is not. A file may hold any numbers, and kernels look up tables by what they
computed, so that a network that could overflow would read beyond them.
"""

import numpy as np

from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv.network import (
    Blocks,
    Convolutions,
    Head,
    IntegerNetwork,
    Norm,
)
from spatial_prediction.compression.integer_linerwkv.tables import GATE_BITS, LOG_BITS
from spatial_prediction.errors import CheckpointError

LARGEST_FEATURES = 128
LARGEST_SUM = 2**30
_LARGEST_SHIFT = 30
_LARGEST_NORM = 3 * 2**29  # with half a unit to round by, still below 2**31
_LARGEST_LAYERS = 1000


def check(network: IntegerNetwork) -> None:
    """Check shapes, types and ranges.

    Raises:
        CheckpointError: no network has such numbers; the message names the array.
    """
    features = network.features
    _require(
        features % 8 == 0 and 0 < features <= LARGEST_FEATURES,
        f"head.weight has {features} features instead of a multiple of 8 up to {LARGEST_FEATURES}",
    )
    _check_convolutions("encoder_in", network.encoder_in, features, 3, 2**15)
    _require(len(network.encoder_in.shift) == 1, "encoder_in.shift is not of one layer")
    _check_convolutions("encoder", network.encoder, features, 3 * features)
    _check_convolutions("decoder", network.decoder, features, features)
    _check_blocks("lines", network.lines, features)
    _check_blocks("bands", network.bands, features)
    _check_head("band_zero", network.band_zero, features)
    _check_head("head", network.head, features)


def _check_convolutions(
    name: str, layers: Convolutions, features: int, inputs: int, largest: int = 2**form.ACTIVATION_BITS
) -> None:
    count = _layers_of(name, layers.shift)
    _check_array(f"{name}.weight", layers.weight, (count, features, inputs), np.int16)
    _check_sums(f"{name}.weight", layers.weight, largest)
    _check_array(f"{name}.bias", layers.bias, (count, features), np.int32, LARGEST_SUM)
    _check_shifts(f"{name}.shift", layers.shift, (count,))
    _check_norm(f"{name}.norm", layers.norm, features, count)


def _check_norm(name: str, norm: Norm, features: int, count: int) -> None:
    """Check that features fit the products, and after the shift the range of features between blocks."""
    _check_shifts(f"{name}.shift", norm.shift, (count,), form.GAIN_BITS)
    reach = _reach_of_norm(name, norm.gain, norm.bias, (count, features))
    if not count:
        return
    rounding = 1.01  # of the gain, the bias and the inverse root
    _require(
        bool((reach <= rounding * form.LARGEST_STREAM * 2.0 ** norm.shift[:, None]).all()),
        f"{name}.gain and bias lead to features beyond {form.LARGEST_STREAM}",
    )


def _check_blocks(name: str, blocks: Blocks, features: int) -> None:
    _require(blocks.shifts.ndim == 2, f"{name}.shifts has {blocks.shifts.ndim} axes instead of 2")
    count = _layers_of(name, blocks.shifts[:, 0] if blocks.shifts.shape[1] else blocks.shifts)
    _require(count > 0, f"{name}.shifts is of no block")
    _check_norm(f"{name}.entry", blocks.entry, features, 1)
    _reach_of_norm(name, blocks.gain, blocks.bias, (count, 2, features))
    _check_array(f"{name}.mixes", blocks.mixes, (count, 5, 2, features), np.int32, 1 << GATE_BITS)
    _require(
        bool((np.abs(blocks.mixes).sum(2) <= 1 << GATE_BITS).all()), f"{name}.mixes add up to more than one"
    )
    _check_array(f"{name}.matrices", blocks.matrices, (count, 7, features, features), np.int16)
    _check_sums(f"{name}.matrices", blocks.matrices, 2**form.ACTIVATION_BITS)
    _check_shifts(f"{name}.shifts", blocks.shifts, (count, 7))
    _check_array(f"{name}.decay", blocks.decay, (count, features), np.int32, 2 ** (LOG_BITS + 12))
    _require(bool((blocks.decay <= 0).all()), f"{name}.decay grows")
    _check_array(f"{name}.first", blocks.first, (count, features), np.int32, 2 ** (LOG_BITS + 4))


def _check_head(name: str, head: Head, features: int) -> None:
    _check_array(f"{name}.weight", head.weight, (features,), np.int16)
    _check_sums(f"{name}.weight", head.weight, 2**form.ACTIVATION_BITS)
    _check_array(f"{name}.bias", np.asarray(head.bias), (), np.int32, LARGEST_SUM)
    _check_shifts(f"{name}.shift", np.asarray(head.shift), ())


def _reach_of_norm(name: str, gain: np.ndarray, bias: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Largest magnitude of features before the shift, which is checked, as is what they come from."""
    _check_array(f"{name}.gain", gain, shape, np.int32)
    _check_array(f"{name}.bias", bias, shape, np.int32)
    length = 2.0**form.NORM_BITS * np.sqrt(shape[-1])
    reach = length * np.abs(gain.astype(float)) + np.abs(bias.astype(float))
    _require(bool((reach <= _LARGEST_NORM).all()), f"{name}.gain and bias are so large that they overflow")
    return reach


def _check_array(
    name: str, array: np.ndarray, shape: tuple[int, ...], dtype: type, largest: int | None = None
) -> None:
    empty = array.size == 0 and 0 in shape  # of no layers, whose other axes say nothing
    _require(
        array.dtype == dtype and (array.shape == shape or empty),
        f"{name} is {array.dtype} {array.shape} instead of {np.dtype(dtype)} {shape}",
    )
    if largest is not None and array.size:
        found = int(np.abs(array.astype(np.int64)).max())
        _require(found <= largest, f"{name} has {found}, more than {largest}")


def _check_sums(name: str, weight: np.ndarray, largest_input: int) -> None:
    sums = np.abs(weight.astype(np.int64)).sum(-1) * largest_input
    _require(bool((sums <= LARGEST_SUM).all()), f"{name} is so large that sums of its products overflow")


def _check_shifts(
    name: str, shifts: np.ndarray, shape: tuple[int, ...], largest: int = _LARGEST_SHIFT
) -> None:
    _check_array(name, shifts, shape, np.int32, largest)
    _require(bool((shifts >= 0).all()), f"{name} is negative")


def _layers_of(name: str, shift: np.ndarray) -> int:
    _require(shift.ndim == 1, f"{name}.shift has {shift.ndim} axes instead of 1")
    _require(len(shift) <= _LARGEST_LAYERS, f"{name}.shift is of {len(shift)} layers")
    return len(shift)


def _require(right: bool, wrong: str) -> None:
    if not right:
        raise CheckpointError(f"the integer network's array {wrong}; fetch its file again, or quantise anew")
