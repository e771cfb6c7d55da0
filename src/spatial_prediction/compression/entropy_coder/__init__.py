"""Entropy coders of CCSDS 123.0-B-2 for mapped residuals: whole numbers from 0, small ones the likeliest.

A stream of ``encode_residuals`` holds nothing else: neither shape nor settings, which the decoder needs too.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped, UInt16, UInt32

from spatial_prediction.compression.entropy_coder._bits import Reader, check_fill, truncated
from spatial_prediction.compression.entropy_coder._memory import by_band, by_pixel, empty_residuals
from spatial_prediction.compression.entropy_coder._sample_adaptive import (
    SampleAdaptiveDecoder,
    SampleAdaptiveEncoder,
)
from spatial_prediction.compression.entropy_coder._settings import (
    CoderSettings,
    check_range,
    checked_residuals,
    initial_exponents,
)

__all__ = ["decode_residuals", "encode_residuals"]


def encode_residuals(
    residuals: Shaped[np.ndarray, "..."],
    *,
    D: int = 16,
    U_max: int = 18,
    gamma_0: int = 1,
    gamma_star: int = 6,
    K: int | Sequence[int] | None = None,
    encoding_order: str = "BI",
    M: int = 1,
) -> bytes:
    """Code mapped residuals with the sample-adaptive coder.

    Args:
        residuals: (rows, columns, bands), whole numbers from 0 to 2^D - 1, of any type and memory layout.
        D: Bits of a residual, 2 to 32.
        U_max: Zeros of a codeword after which the residual stands as it is, 8 to 32.
        gamma_0: Exponent of the first value of the counter, 1 to 8.
        gamma_star: Exponent of the value of the counter at which statistics are halved, 4 to 11.
        K: Exponent of the first mean, 0 to min(D - 2, 14), or one for each band; by default 3.
        encoding_order: ``"BSQ"``, band after band, or ``"BI"``, row after row.
        M: Bands that are interleaved in a row of BI: 1 is BIL, all bands BIP.

    Returns:
        The codewords, the last byte filled with zeros.

    Raises:
        ConfigurationError: a residual or a setting is out of its range.
    """
    settings = CoderSettings(D, U_max, gamma_0, gamma_star, encoding_order, M)
    check_range("D", D, 2, 32)
    words = checked_residuals(residuals, D)
    bands = residuals.shape[2]
    settings.check(bands)
    encoder = SampleAdaptiveEncoder(settings, initial_exponents(K, D, bands))
    encoder.write_rows(by_band(words) if encoding_order == "BSQ" else words)
    return encoder.finish().to_bytes()


def decode_residuals(
    stream: bytes,
    shape: tuple[int, int, int],
    *,
    D: int = 16,
    U_max: int = 18,
    gamma_0: int = 1,
    gamma_star: int = 6,
    K: int | Sequence[int] | None = None,
    encoding_order: str = "BI",
    M: int = 1,
) -> UInt16[np.ndarray, "rows columns bands"] | UInt32[np.ndarray, "rows columns bands"]:
    """Give the residuals that ``encode_residuals`` coded with the same settings.

    Args:
        stream: The codewords, and nothing behind them but zeros up to a whole byte.
        shape: Rows, columns and bands.
        D: As in ``encode_residuals``, and so all that follow.
        U_max: See there.
        gamma_0: See there.
        gamma_star: See there.
        K: See there.
        encoding_order: See there.
        M: See there.

    Returns:
        uint16 where D is at most 16, uint32 otherwise.

    Raises:
        ConfigurationError: a setting or the shape is out of its range.
        StreamError: the stream is damaged, too short or too long. What is damaged otherwise can't be noticed:
            the code has no redundancy, any bits are the codewords of some residuals.
    """
    settings = CoderSettings(D, U_max, gamma_0, gamma_star, encoding_order, M)
    rows, columns, bands = shape
    for name, size in zip(("rows", "columns", "bands"), shape, strict=True):
        check_range(name, size, 1, 1 << 31)
    settings.check(bands)
    reader = Reader(stream)
    if rows * columns * bands > reader.end:
        raise truncated()
    residuals = empty_residuals(shape, encoding_order)
    SampleAdaptiveDecoder(reader, settings, initial_exponents(K, D, bands)).read_rows(residuals)
    check_fill(reader, 8)
    residuals = by_pixel(residuals) if encoding_order == "BSQ" else residuals
    return residuals.astype(np.uint16) if D <= 16 else residuals
