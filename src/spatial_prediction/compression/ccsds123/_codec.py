"""From cubes to streams and back."""

from typing import Any

import numpy as np
from jaxtyping import Int16, Int32, Integer, Shaped, UInt16, UInt32

from spatial_prediction.compression.ccsds123._limits import Limits, read_limits, stated_limits, write_limits
from spatial_prediction.compression.ccsds123._prediction import Predictor
from spatial_prediction.compression.ccsds123.header import read_header, write_header
from spatial_prediction.compression.ccsds123.parameters import Parameters, parameters_for
from spatial_prediction.compression.entropy_coder._bits import Reader, check_fill, damaged, truncated
from spatial_prediction.compression.entropy_coder._hybrid import HybridDecoder, HybridEncoder
from spatial_prediction.compression.entropy_coder._memory import by_band, by_pixel, empty_residuals
from spatial_prediction.compression.entropy_coder._sample_adaptive import (
    SampleAdaptiveDecoder,
    SampleAdaptiveEncoder,
)
from spatial_prediction.errors import ConfigurationError

Cube = (
    UInt16[np.ndarray, "rows columns bands"]
    | Int16[np.ndarray, "rows columns bands"]
    | UInt32[np.ndarray, "rows columns bands"]
    | Int32[np.ndarray, "rows columns bands"]
)


def compress(cube: Shaped[np.ndarray, "..."], **parameters: Any) -> bytes:
    """Compress a cube to a stream of CCSDS 123.0-B-2.

    Args:
        cube: (rows, columns, bands), whole numbers of 8 to 32 bits in any byte order and memory layout.
        **parameters: Those of ``Parameters`` by name; D and signed go by the cube's type unless given.

    Returns:
        Header, body and the zeros that fill its last bytes. ``decompress`` needs nothing else.

    Raises:
        ConfigurationError: a parameter is unknown or out of its range, or a sample has more than D bits.
    """
    p = parameters_for(cube, parameters)
    samples = _unsigned(cube, p)
    header = write_header(p)
    if p.entropy_coder == "hybrid":
        encoder: Any = HybridEncoder(p.coder, p.N_Z, p.Sigma_0)
    else:
        encoder = SampleAdaptiveEncoder(p.coder, p.exponents)
    predictor = Predictor(p, p.N_X, p.N_Z)
    for period in range(p.periods):
        first = period * p.rows_of_period
        rows = samples[first : first + p.rows_of_period]
        limits = stated_limits(p, period)
        indices = predictor.encode_rows(rows, limits.by_band(p.N_Z))
        write_limits(encoder.writer, p, limits)
        encoder.write_rows(by_band(indices) if p.encoding_order == "BSQ" else indices)
    body = encoder.finish().to_bytes()
    return header + body + bytes(-(len(header) + len(body)) % p.B)


def mapped_indices(
    cube: Shaped[np.ndarray, "..."], **parameters: Any
) -> UInt32[np.ndarray, "rows columns bands"]:
    """Give what ``compress`` hands to the entropy coder: mapped quantizer indices, whose zero is a hit.

    Args:
        cube: As of ``compress``.
        **parameters: As of ``compress``.

    Raises:
        ConfigurationError: as of ``compress``.
    """
    p = parameters_for(cube, parameters)
    samples = _unsigned(cube, p)
    predictor = Predictor(p, p.N_X, p.N_Z)
    parts = []
    for period in range(p.periods):
        first = period * p.rows_of_period
        rows = samples[first : first + p.rows_of_period]
        parts.append(predictor.encode_rows(rows, stated_limits(p, period).by_band(p.N_Z)))
    return np.concatenate(parts)


def decompress(stream: bytes) -> Cube:
    """Give the cube of a stream of CCSDS 123.0-B-2, whoever wrote it.

    Args:
        stream: As ``compress`` returns it, and nothing behind it.

    Returns:
        Samples, (rows, columns, bands): uint16 or int16 where D is at most 16, uint32 or int32 otherwise.

    Raises:
        StreamError: the stream is damaged, too short or too long, or uses the block-adaptive coder, tables of
            supplementary information, or weights that it does not contain. Not all damage can be noticed.
    """
    stream = bytes(stream)
    p, start = read_header(stream)
    if len(stream) % p.B:
        raise damaged(f"its length, {len(stream)} bytes, is no multiple of its words of {p.B} bytes")
    read_indices = _hybrid_indices if p.entropy_coder == "hybrid" else _sample_adaptive_indices
    indices, limits = read_indices(stream, start, p)
    if p.encoding_order == "BSQ":
        indices = by_pixel(indices)
    predictor = Predictor(p, p.N_X, p.N_Z)
    cube = np.empty(indices.shape, _type(p))
    for period in range(p.periods):
        first = period * p.rows_of_period
        rows = slice(first, first + p.rows_of_period)
        samples = predictor.decode_rows(indices[rows], limits[period].by_band(p.N_Z))
        cube[rows] = samples.view(np.int32) + _smallest(p) if p.signed else samples
    return cube


def _sample_adaptive_indices(
    stream: bytes, start: int, p: Parameters
) -> tuple[UInt32[np.ndarray, "rows columns bands"], list[Limits]]:
    """Mapped indices of a body, and all error limits."""
    reader = Reader(stream)
    reader.position = 8 * start
    if reader.left < p.N_Y * p.N_X * p.N_Z:
        raise truncated()
    decoder = SampleAdaptiveDecoder(reader, p.coder, p.exponents)
    indices = empty_residuals((p.N_Y, p.N_X, p.N_Z), p.encoding_order)
    limits = []
    for period in range(p.periods):
        limits.append(read_limits(reader, p))
        first = period * p.rows_of_period
        decoder.read_rows(indices[first : first + p.rows_of_period])
    check_fill(reader, 8 * p.B)
    return indices, limits


def _hybrid_indices(
    stream: bytes, start: int, p: Parameters
) -> tuple[UInt32[np.ndarray, "rows columns bands"], list[Limits]]:
    """Mapped indices of a body of the hybrid coder, which is read from its end, and all error limits."""
    reader = Reader(stream[start:], backwards=True)
    decoder = HybridDecoder(reader, p.coder, p.N_Z, p.N_Y * p.N_X, 8 * p.B)
    indices = empty_residuals((p.N_Y, p.N_X, p.N_Z), p.encoding_order)
    limits = []
    for period in reversed(range(p.periods)):
        first = period * p.rows_of_period
        decoder.read_rows(indices[first : first + p.rows_of_period])
        limits.append(read_limits(reader, p))
    decoder.finish()
    return indices, limits[::-1]


def _unsigned(
    cube: Integer[np.ndarray, "rows columns bands"], p: Parameters
) -> UInt32[np.ndarray, "rows columns bands"]:
    """Samples less the smallest that D bits allow."""
    smallest = _smallest(p)
    low, high = int(cube.min()), int(cube.max())
    if low < smallest or high >= smallest + (1 << p.D):
        raise ConfigurationError(
            f"cube: samples are {low} to {high}, those of D={p.D} bits, signed={p.signed}, are "
            f"{smallest} to {smallest + (1 << p.D) - 1}"
        )
    if smallest == 0:
        return cube.astype(np.uint32, order="C")
    return cube.astype(np.int32, order="C").view(np.uint32) + np.uint32(-smallest)


def _smallest(p: Parameters) -> int:
    return -(1 << (p.D - 1)) if p.signed else 0


def _type(p: Parameters) -> type[np.integer]:
    if p.D <= 16:
        return np.int16 if p.signed else np.uint16
    return np.int32 if p.signed else np.uint32
