"""The integer network on whole lines and bands: the two calls between which a coder moves."""

from typing import NamedTuple, no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression._protocol import FRACTION_BITS
from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv._lanes import COLUMNS
from spatial_prediction.compression.integer_linerwkv._norms import Room, room_for
from spatial_prediction.compression.integer_linerwkv.kernels import (
    add,
    convolve,
    copy,
    pair,
    predict,
    shorten,
    shorten_to_halves,
    step,
    subtract,
)
from spatial_prediction.compression.integer_linerwkv.network import Blocks, IntegerNetwork
from spatial_prediction.compression.integer_linerwkv.tables import STREAM_BITS

_I = np.int32
_LAYER_SHIFT = _I(STREAM_BITS - form.LAYER_BITS)
_DECODER_SHIFT = _I(STREAM_BITS - form.DECODER_BITS)
_SKIP = _I(1 << (form.PREDICTION_BITS - form.SAMPLE_BITS))


class Memory(NamedTuple):
    """What a predictor remembers, in blocks of 64 columns; rows of samples have a zero before and behind.

    Attributes:
        line_inputs: of the mixings, (column blocks, bands, blocks, 2, features, 64) int16.
        line_averages: means and log weights, likewise, int32.
        band_inputs: (column blocks, blocks, 2, features, 64) int16, anew for each line.
        band_averages: likewise, int32.
        encoded: the band just given, as the encoder sees it, (column blocks, features, 64) int32.
        expected: what was expected of each band, (column blocks, bands, features, 64) int32.
        band_zero: first band of the line before, normalised, (columns with the last block filled + 2,) int16.
        row: the band just given, likewise.
        prediction: of the next band, normalised, (columns with the last block filled,) int32.
        layer: features between convolutions, (features, like row) int16.
        taps: inputs of a convolution, (3 features, 64) int16.
        room: to work in.
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
    room: Room


def memory_for(network: IntegerNetwork, columns: int, bands: int) -> Memory:
    """Make the memory before the first line."""
    features, blocks = network.features, -(-columns // COLUMNS)
    length = blocks * COLUMNS + 2

    def state(stack: Blocks, *axes: int) -> tuple[np.ndarray, np.ndarray]:
        shape = (*axes, len(stack.shifts), 2, features, COLUMNS)
        averages = np.zeros(shape, np.int32)
        averages[..., 1, :, :] = form.EMPTY
        return np.zeros(shape, np.int16), averages

    return Memory(
        *state(network.lines, blocks, bands),
        *state(network.bands, blocks),
        encoded=np.zeros((blocks, features, COLUMNS), np.int32),
        expected=np.zeros((blocks, bands, features, COLUMNS), np.int32),
        band_zero=np.zeros(length, np.int16),
        row=np.zeros(length, np.int16),
        prediction=np.zeros(length - 2, np.int32),
        layer=np.zeros((features, length), np.int16),
        taps=np.zeros((max(3 * features, 8), COLUMNS), np.int16),
        room=room_for(features),
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
def encode_row(network, memory, columns):
    """Encode ``memory.row`` into ``memory.encoded``."""
    features = memory.layer.shape[0]
    taps, room, pairs = memory.taps, memory.room, memory.room.pairs[0]
    for block in range(memory.encoded.shape[0]):
        for tap in range(3):
            taps[tap] = memory.row[block * COLUMNS + tap : (block + 1) * COLUMNS + tap]
        taps[3:8] = 0
        pair(taps[:8], pairs)
        convolve(network.encoder_in, 0, pairs, room, memory.encoded[block])
    for index in range(network.encoder.shift.shape[0]):
        for block in range(memory.encoded.shape[0]):
            start = block * COLUMNS
            count = min(COLUMNS, columns - start)
            shorten_to_halves(memory.encoded[block], _LAYER_SHIFT, room.now)
            memory.layer[:, 1 + start : 1 + start + count] = room.now[:, :count]
        for block in range(memory.encoded.shape[0]):
            start = block * COLUMNS
            for tap in range(3):
                taps[tap * features : (tap + 1) * features] = memory.layer[
                    :, start + tap : start + COLUMNS + tap
                ]
            pair(taps[: 3 * features], pairs)
            convolve(network.encoder, index, pairs, room, memory.encoded[block])


@compiled
@no_type_check
def expect_of_next_line(network, memory, band):
    """Take one step in time, from a band that was encoded to what is expected of it in the next line."""
    for block in range(memory.encoded.shape[0]):
        x = memory.expected[block, band]
        copy(memory.encoded[block], x)
        inputs, averages = memory.line_inputs[block, band], memory.line_averages[block, band]
        step(network.lines, inputs, averages, x, memory.room)


@compiled
@no_type_check
def begin_line(network, memory):
    """Predict the first band of the next line into ``memory.prediction``."""
    for block in range(memory.encoded.shape[0]):
        out = memory.prediction[block * COLUMNS : (block + 1) * COLUMNS]
        predict(network.band_zero, memory.expected[block, 0], memory.room, out)
        for n in range(COLUMNS):
            out[n] = _I(out[n] + _I(_I(memory.band_zero[1 + block * COLUMNS + n]) * _SKIP))
    memory.band_inputs[:] = 0
    memory.band_averages[:, :, 0] = 0
    memory.band_averages[:, :, 1] = _I(form.EMPTY)


@compiled
@no_type_check
def predict_next_band(network, memory, band):
    """Predict, from a band that was encoded, the one after it into ``memory.prediction``."""
    room = memory.room
    x, pairs = room.rows[6], room.pairs[0]
    for block in range(memory.encoded.shape[0]):
        subtract(memory.encoded[block], memory.expected[block, band], x)
        step(network.bands, memory.band_inputs[block], memory.band_averages[block], x, room)
        add(x, memory.expected[block, band + 1], x)
        shift = _DECODER_SHIFT
        for layer in range(network.decoder.shift.shape[0]):
            shorten(x, shift, pairs)
            convolve(network.decoder, layer, pairs, room, x)
            shift = _LAYER_SHIFT
        predict(network.head, x, room, memory.prediction[block * COLUMNS : (block + 1) * COLUMNS])


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
    encode_row(network, memory, samples.shape[1])
    if predicting and band + 1 < samples.shape[0]:
        predict_next_band(network, memory, band)
        denormalise(memory.prediction, mean[band + 1], deviation[band + 1], values)
    expect_of_next_line(network, memory, band)


@compiled
@no_type_check
def denormalise(prediction, mean, deviation, values):
    """Write a prediction in the samples' units, with ``FRACTION_BITS``."""
    for c in range(values.shape[0]):
        scaled = (np.int64(prediction[c]) * deviation) << (FRACTION_BITS - form.PREDICTION_BITS)
        values[c] = scaled + (mean << FRACTION_BITS)
