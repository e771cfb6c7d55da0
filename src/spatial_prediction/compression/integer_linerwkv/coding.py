"""The integer network on whole lines and bands: the two calls between which a coder moves."""

from typing import NamedTuple, no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression._protocol import FRACTION_BITS
from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv._products import LANES
from spatial_prediction.compression.integer_linerwkv.kernels import (
    clipped,
    convolve,
    predict,
    rounded,
    step,
)
from spatial_prediction.compression.integer_linerwkv.network import Blocks, IntegerNetwork
from spatial_prediction.compression.integer_linerwkv.tables import STREAM_BITS, inverse_roots

_I = np.int32
_LAYER_SHIFT = _I(STREAM_BITS - form.LAYER_BITS)
_DECODER_SHIFT = _I(STREAM_BITS - form.DECODER_BITS)
_ACTIVATION = _I(1 << form.ACTIVATION_BITS)
_SKIP = _I(1 << (form.PREDICTION_BITS - form.SAMPLE_BITS))


class Memory(NamedTuple):
    """What a predictor remembers, in blocks of 64 columns; rows of samples have a zero before and behind.

    Attributes:
        line_inputs: of the mixings, (column blocks, bands, blocks, 2, features, 64) int16.
        line_averages: means and log weights, likewise, int32.
        band_inputs: (column blocks, blocks, 2, features, 64) int16, anew for each line.
        band_averages: likewise, int32.
        encoded: this line as the encoder sees it, (column blocks, bands, features, 64) int32.
        expected: what of it was expected, likewise.
        band_zero: first band of the line before, normalised, (columns with the last block filled + 2,) int16.
        row: the band just given, likewise.
        prediction: of the next band, normalised, (columns with the last block filled,) int32.
        layer: features between convolutions, (features, like row) int16.
        taps: inputs of a convolution, (3 features, 64) int16.
        work: room of :func:`step`.
        short: likewise.
        roots: table of inverse roots.
        guard: of the variance in layer norms.
    """

    line_inputs: np.ndarray
    line_averages: np.ndarray
    band_inputs: np.ndarray
    band_averages: np.ndarray
    encoded: np.ndarray
    expected: np.ndarray
    band_zero: np.ndarray
    row: np.ndarray
    prediction: np.ndarray
    layer: np.ndarray
    taps: np.ndarray
    work: np.ndarray
    short: np.ndarray
    roots: np.ndarray
    guard: np.int32


def memory_for(network: IntegerNetwork, columns: int, bands: int) -> Memory:
    """Make the memory before the first line."""
    features, blocks = network.features, -(-columns // LANES)
    length = blocks * LANES + 2

    def state(stack: Blocks, *axes: int) -> tuple[np.ndarray, np.ndarray]:
        shape = (*axes, len(stack.shifts), 2, features, LANES)
        averages = np.zeros(shape, np.int32)
        averages[..., 1, :, :] = form.EMPTY
        return np.zeros(shape, np.int16), averages

    return Memory(
        *state(network.lines, blocks, bands),
        *state(network.bands, blocks),
        encoded=np.zeros((blocks, bands, features, LANES), np.int32),
        expected=np.zeros((blocks, bands, features, LANES), np.int32),
        band_zero=np.zeros(length, np.int16),
        row=np.zeros(length, np.int16),
        prediction=np.zeros(length - 2, np.int32),
        layer=np.zeros((features, length), np.int16),
        taps=np.zeros((max(3 * features, 8), LANES), np.int16),
        work=np.zeros((6, features, LANES), np.int32),
        short=np.zeros((features + 3, LANES), np.int32),
        roots=inverse_roots(features),
        guard=form.variance_guard(features),
    )


@compiled
@no_type_check
def normalise_row(samples, mean, deviation, row):
    """Write ``(samples - mean) / deviation`` with ``SAMPLE_BITS``, to the nearest."""
    for c in range(samples.shape[0]):
        scaled = ((np.int64(samples[c]) - mean) << (form.SAMPLE_BITS + 1)) + deviation
        row[1 + c] = max(min(scaled // (2 * deviation), 32767), -32767)


@compiled
@no_type_check
def encode_row(network, memory, columns, band):
    """Encode ``memory.row`` into ``memory.encoded``."""
    features = memory.layer.shape[0]
    taps = memory.taps
    for block in range(memory.encoded.shape[0]):
        for tap in range(3):
            taps[tap] = memory.row[block * LANES + tap : (block + 1) * LANES + tap]
        taps[3:8] = 0
        out = memory.encoded[block, band]
        first = network.encoder_in
        convolve(first, 0, taps[:8], memory.guard, memory.roots, memory.work[0], memory.short, out)
    for index in range(network.encoder.shift.shape[0]):
        for block in range(memory.encoded.shape[0]):
            start = block * LANES
            for f in range(features):
                for n in range(min(LANES, columns - start)):
                    value = rounded(memory.encoded[block, band, f, n], _LAYER_SHIFT)
                    memory.layer[f, 1 + start + n] = clipped(value, _ACTIVATION)
        for block in range(memory.encoded.shape[0]):
            start = block * LANES
            for tap in range(3):
                taps[tap * features : (tap + 1) * features] = memory.layer[
                    :, start + tap : start + LANES + tap
                ]
            out = memory.encoded[block, band]
            work = memory.work[0]
            convolve(
                network.encoder,
                index,
                taps[: 3 * features],
                memory.guard,
                memory.roots,
                work,
                memory.short,
                out,
            )


@compiled
@no_type_check
def finish_line(network, memory):
    """Take in the line that was encoded: predict the first band of the next into ``memory.prediction``."""
    prediction = memory.prediction
    for block in range(memory.encoded.shape[0]):
        for band in range(memory.encoded.shape[1]):
            x = memory.expected[block, band]
            x[:] = memory.encoded[block, band]
            inputs, averages = memory.line_inputs[block, band], memory.line_averages[block, band]
            step(network.lines, inputs, averages, x, memory.guard, memory.roots, memory.work, memory.short)
        out = prediction[block * LANES : (block + 1) * LANES]
        predict(network.band_zero, memory.expected[block, 0], memory.short[0], out)
        for n in range(LANES):
            out[n] = _I(out[n] + _I(_I(memory.band_zero[1 + block * LANES + n]) * _SKIP))
    memory.band_inputs[:] = 0
    memory.band_averages[:, :, 0] = 0
    memory.band_averages[:, :, 1] = _I(form.EMPTY)


@compiled
@no_type_check
def predict_next_band(network, memory, band):
    """Predict, from a band that was encoded, the one after it into ``memory.prediction``."""
    features = memory.layer.shape[0]
    x = np.empty((features, LANES), np.int32)
    inputs = memory.taps[:features]
    for block in range(memory.encoded.shape[0]):
        for f in range(features):
            for n in range(LANES):
                x[f, n] = _I(memory.encoded[block, band, f, n] - memory.expected[block, band, f, n])
        state, averages = memory.band_inputs[block], memory.band_averages[block]
        step(network.bands, state, averages, x, memory.guard, memory.roots, memory.work, memory.short)
        for f in range(features):
            for n in range(LANES):
                x[f, n] = _I(x[f, n] + memory.expected[block, band + 1, f, n])
        shift = _DECODER_SHIFT
        for layer in range(network.decoder.shift.shape[0]):
            for f in range(features):
                for n in range(LANES):
                    inputs[f, n] = clipped(rounded(x[f, n], shift), _ACTIVATION)
            work = memory.work[0]
            convolve(network.decoder, layer, inputs, memory.guard, memory.roots, work, memory.short, x)
            shift = _LAYER_SHIFT
        out = memory.prediction[block * LANES : (block + 1) * LANES]
        predict(network.head, x, memory.short[0], out)


@compiled
@no_type_check
def take_band(network, memory, band, samples, mean, deviation, values, predicting):
    """Take in a band of a line, and predict the one after it if there is one, and it is wanted.

    Args:
        network: the integer network, the first convolution with eight inputs.
        memory: what is remembered.
        band: which band.
        samples: the line, (bands, columns) int64, known up to this band.
        mean: of each band, (bands,) int64.
        deviation: of each band, (bands,) int64.
        values: gets the prediction, (columns,) int64 with ``FRACTION_BITS``.
        predicting: whether a prediction is wanted.
    """
    normalise_row(samples[band], mean[band], deviation[band], memory.row)
    if band == 0:
        memory.band_zero[:] = memory.row
    encode_row(network, memory, samples.shape[1], band)
    if predicting and band + 1 < samples.shape[0]:
        predict_next_band(network, memory, band)
        denormalise(memory.prediction, mean[band + 1], deviation[band + 1], values)


@compiled
@no_type_check
def denormalise(prediction, mean, deviation, values):
    """Write a prediction in the samples' units, with ``FRACTION_BITS``."""
    for c in range(values.shape[0]):
        scaled = (np.int64(prediction[c]) * deviation) << (FRACTION_BITS - form.PREDICTION_BITS)
        values[c] = scaled + (mean << FRACTION_BITS)
