"""From a network of floating numbers to its integer form.

Every layer norm bounds what it puts out, whatever goes in. From these bounds follow the scales: each input
of a matrix product fills the range of its integers, its scale goes into the matrix, and the matrix takes the
finest scale at which no sum can overflow. No data are needed. Only products, quotients, roots and exactly
rounded sums (``math.fsum``) are computed, so that every machine makes the same integers.
"""

import math
from typing import Any

import numpy as np

from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv.network import (
    Blocks,
    Convolutions,
    Head,
    IntegerNetwork,
    Norm,
)
from spatial_prediction.compression.integer_linerwkv.tables import (
    GATE_BITS,
    LOG_BITS,
    STREAM_BITS,
    exponential,
)
from spatial_prediction.compression.linerwkv._blocks import Block
from spatial_prediction.compression.linerwkv._layers import Affine
from spatial_prediction.compression.linerwkv._model import LineRWKV
from spatial_prediction.errors import CheckpointError

LARGEST_WEIGHT = 2**15 - 1
LARGEST_SUM = 2**30
"""Of a matrix product, whatever its inputs are."""
VALUE_BITS = 22
"""Values to average over fill this many bits."""
TOO_LARGE = "the weights are so large that their products do not fit; train the network again"
RECTIFIED_BITS = 15
"""Rectified keys, before they are squared, likewise."""


def quantised(model: LineRWKV) -> IntegerNetwork:
    """Make the integer form of a network; equal weights give equal integers on every machine.

    Raises:
        CheckpointError: the width is not a multiple of 8 up to 128, or weights are not finite or so large
            that their products do not fit.
    """
    if model.features % 8 or not 0 < model.features <= 128:
        raise CheckpointError(
            f"the network has {model.features} features; the integer form takes multiples of 8 up to 128"
        )
    for name, array in model.to_named_arrays().items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"the weights' array {name!r} is not finite; train the network again")
    encoder, decoder = model.encoder, model.decoder
    return IntegerNetwork(
        encoder_in=_convolutions((encoder.conv_in,), (encoder.norm_in,), 3, [form.SAMPLE_BITS], 2**15),
        encoder=_convolutions(
            encoder.convs, encoder.norms, 3 * model.features, [form.LAYER_BITS] * len(encoder.convs)
        ),
        lines=_blocks(model.blocks_lines),
        bands=_blocks(model.blocks_bands),
        decoder=_convolutions(
            decoder.convs,
            decoder.norms,
            model.features,
            [form.DECODER_BITS, *[form.LAYER_BITS] * len(decoder.convs)][: len(decoder.convs)],
        ),
        band_zero=_head(model.bandzerodec.conv_out),
        head=_head(decoder.conv_out),
    )


def _blocks(blocks: tuple[Block, ...]) -> Blocks:
    parts = [_block(block) for block in blocks]
    stacked = [np.stack(arrays) for arrays in zip(*parts, strict=True)]
    entry = blocks[0].ln0
    assert entry is not None
    return Blocks(_norms((entry,), len(entry.weight)), *stacked)


def _block(block: Block) -> tuple[np.ndarray, ...]:
    time, channel = block.att, block.ffn
    first = _Input(block.ln1)
    second = _Input(block.ln2)
    key_mix, key = first.mixed(time.time_mix_k, time.key.weight)
    value_mix, value = first.mixed(time.time_mix_v, time.value.weight)
    gate_mix, gate = first.mixed(time.time_mix_r, time.receptance.weight)
    expand_mix, expand = second.mixed(channel.time_mix_k, channel.key.weight)
    keep_mix, keep = second.mixed(channel.time_mix_r, channel.receptance.weight)

    value_bound = first.bound_of_product(time.time_mix_v, time.value.weight)
    expand_bound = second.bound_of_product(channel.time_mix_k, channel.key.weight)
    products = [
        _scaled(key, LOG_BITS - form.LOG_STEP_BITS),
        _filling(value, value_bound, VALUE_BITS),
        _scaled(gate, LOG_BITS - form.LOG_STEP_BITS),
        _scaled(_float(time.output.weight) * value_bound / 2**form.ACTIVATION_BITS, STREAM_BITS),
        _filling(expand, expand_bound, RECTIFIED_BITS),
        _scaled(keep, LOG_BITS - form.LOG_STEP_BITS),
        _scaled(_float(channel.value.weight) * expand_bound**2 / 2**form.ACTIVATION_BITS, STREAM_BITS),
    ]
    weights, shifts = zip(*products, strict=True)
    decay = np.array([-min(float(each), 2.0**12) for each in exponential(_float(time.time_decay))])
    return (
        np.stack([first.gain, second.gain]),
        np.stack([first.bias, second.bias]),
        np.stack([key_mix, value_mix, gate_mix, expand_mix, keep_mix]),
        np.stack(weights),
        np.array(shifts, np.int32),
        _integers(decay * 2**LOG_BITS),
        _integers(np.clip(_float(time.time_first), -16, 16) * 2**LOG_BITS),
    )


class _Input:
    """A layer norm and what its features become as integers.

    Attributes:
        gain: (features,) int32, with ``GAIN_BITS``.
        bias: likewise.
    """

    def __init__(self, norm: Affine) -> None:
        self._weight, self._bias = _float(norm.weight), _float(norm.bias)
        self._root = math.sqrt(len(self._weight))  # length of the normalised features
        largest = self._root * np.abs(self._weight) + np.abs(self._bias)
        self._scale = 2**form.ACTIVATION_BITS / np.where(largest > 0, largest, 1.0)
        self.gain = _integers(self._weight * self._scale * 2.0 ** (form.GAIN_BITS - form.NORM_BITS))
        self.bias = _integers(self._bias * self._scale * 2**form.GAIN_BITS)

    def mixed(self, mix: Any, weight: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the shares of this step and the one before (2, features), and the matrix for what they give.

        The shares' magnitudes add up to one, so their sum fits wherever the features do.
        """
        mix = _float(mix)[0, 0]
        total = np.abs(mix) + np.abs(1 - mix)
        now = np.trunc(mix / total * 2**GATE_BITS)
        before = np.trunc((1 - mix) / total * 2**GATE_BITS)
        return _integers(np.stack([now, before])), _float(weight) * total / self._scale

    def bound_of_product(self, mix: Any, weight: Any) -> np.ndarray:
        """Largest magnitude of each component of the product with a mix of two steps, by Cauchy-Schwarz."""
        mix, weight = _float(mix)[0, 0], _float(weight)
        lengths = [_lengths(weight * part * self._weight) for part in (mix, 1 - mix)]
        offset = np.array([abs(math.fsum(row)) for row in weight * self._bias])
        return self._root * (lengths[0] + lengths[1]) + offset


def _scaled(
    weight: np.ndarray, bits: int, largest_input: int = 2**form.ACTIVATION_BITS
) -> tuple[np.ndarray, int]:
    """Round a matrix at the finest power of two that fits, whose results are shifted to ``bits``."""
    for exponent in range(30, bits - 1, -1):
        if _fits(rounded := np.rint(weight * 2.0**exponent), largest_input):
            return rounded.astype(np.int16), exponent - bits
    raise CheckpointError(TOO_LARGE)


def _filling(weight: np.ndarray, bound: np.ndarray, bits: int) -> tuple[np.ndarray, int]:
    """Round each row at a scale of its own, at which its bound becomes ``2**bits`` after the shift."""
    scale = np.where(bound > 0, 2.0**bits / np.where(bound > 0, bound, 1.0), 0.0)[:, None]
    for shift in range(30, -1, -1):
        if _fits(rounded := np.rint(weight * scale * 2.0**shift)):
            return rounded.astype(np.int16), shift
    raise CheckpointError(TOO_LARGE)


def _fits(rounded: np.ndarray, largest_input: int = 2**form.ACTIVATION_BITS) -> bool:
    sums = np.abs(rounded).sum(-1)  # of whole numbers, hence exact
    return bool((np.abs(rounded) <= LARGEST_WEIGHT).all() and (sums * largest_input <= LARGEST_SUM).all())


def _convolutions(
    convs: tuple[Affine, ...],
    norms: tuple[Affine, ...],
    inputs: int,
    input_bits: list[int],
    largest_input: int = 2**form.ACTIVATION_BITS,
) -> Convolutions:
    """Round convolutions of ``inputs`` inputs (channels and taps), which stand tap by tap."""
    products = []
    for conv, bits in zip(convs, input_bits, strict=True):
        matrix = _float(conv.weight).transpose(0, 2, 1).reshape(len(conv.weight), inputs)
        products.append(_scaled(matrix, STREAM_BITS - bits, largest_input))
    biases = [_integers(_float(conv.bias) * 2**STREAM_BITS) for conv in convs]
    features = len(biases[0]) if convs else 0
    return Convolutions(
        np.array([weight for weight, _ in products], np.int16).reshape(len(convs), features, inputs),
        np.array(biases, np.int32).reshape(len(convs), features),
        np.array([shift for _, shift in products], np.int32),
        _norms(norms, features),
    )


def _norms(norms: tuple[Affine, ...], features: int) -> Norm:
    """Round layer norms whose results have ``STREAM_BITS``."""
    gains, biases, shifts = [], [], []
    for norm in norms:
        weight, bias = _float(norm.weight), _float(norm.bias)
        largest = math.sqrt(features) * np.abs(weight) + np.abs(bias)
        if (largest * 2.0**STREAM_BITS > form.LARGEST_STREAM).any():
            raise CheckpointError(TOO_LARGE)
        shift = form.GAIN_BITS
        while (largest * 2.0 ** (STREAM_BITS + shift) > LARGEST_SUM).any():
            shift -= 1
        gains.append(_integers(weight * 2.0 ** (STREAM_BITS - form.NORM_BITS + shift)))
        biases.append(_integers(bias * 2.0 ** (STREAM_BITS + shift)))
        shifts.append(shift)
    shape = (len(norms), features)
    return Norm(
        np.array(gains, np.int32).reshape(shape),
        np.array(biases, np.int32).reshape(shape),
        np.array(shifts, np.int32),
    )


def _head(conv: Affine) -> Head:
    """Round a head, whose inputs come in two parts, of four and of eight bits below the point."""
    weight, shift = _scaled(_float(conv.weight)[:, :, 0], form.PREDICTION_BITS - 4)
    bias = _integers(_float(conv.bias) * 2**form.PREDICTION_BITS)
    return Head(weight[0], np.int32(bias[0]), np.int32(shift))


def _float(array: Any) -> np.ndarray:
    return np.asarray(array).astype(float)


def _integers(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), -LARGEST_SUM, LARGEST_SUM).astype(np.int32)


def _lengths(rows: np.ndarray) -> np.ndarray:
    return np.array([math.sqrt(math.fsum(row**2)) for row in rows])
