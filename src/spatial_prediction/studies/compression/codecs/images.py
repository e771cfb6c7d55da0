"""Lossless coding of one image of uint16 by codecs of imagecodecs, with settings that are lossless indeed.

Several have others that look so: bits per sample below what the samples have (JPEG XL clips, AEC writes what
it cannot read), JPEG 2000 of high quality that is not reversible. Images are two-dimensional, so that none
takes an axis for components, and keep their own shape elsewhere, since some drop axes of length 1.
"""

from collections.abc import Callable
from typing import NamedTuple

import imagecodecs
import numpy as np
from jaxtyping import UInt16

ZSTD_LEVEL, BLOSC2_LEVEL, JPEGXL_EFFORT = 19, 9, 7
AEC = {"bitspersample": 16, "blocksize": 32, "rsi": 128}
"""Bits of a sample, samples of a block, and blocks between reference samples."""

AEC_ROOM = 1 << 12
"""Bytes of room behind the image: AEC decodes whole blocks, and refuses a shorter last one."""

Image = UInt16[np.ndarray, "height width"]
Stream = bytes | bytearray | memoryview


class ImageCodec(NamedTuple):
    """One image to bytes, and bytes and the image's shape back to it; one thread."""

    encode: Callable[[Image], Stream]
    decode: Callable[[bytes, tuple[int, int]], Image]


def _of_bytes(decoded: Stream, shape: tuple[int, int]) -> np.ndarray:
    return np.frombuffer(decoded, "<u2").reshape(shape)


def _stored(image: np.ndarray) -> bytes:
    return image.astype("<u2").tobytes()


def _aec_decode(stream: bytes, shape: tuple[int, int]) -> np.ndarray:
    out = bytearray(2 * shape[0] * shape[1] + AEC_ROOM)
    imagecodecs.aec_decode(stream, **AEC, out=out)
    return np.frombuffer(out, np.uint16, count=shape[0] * shape[1]).reshape(shape)


def _blosc2_encode(image: np.ndarray) -> Stream:
    return imagecodecs.blosc2_encode(
        _stored(image), level=BLOSC2_LEVEL, compressor="zstd", shuffle="bitshuffle", typesize=2, numthreads=1
    )


CODECS = {
    "zstd": ImageCodec(
        lambda image: imagecodecs.zstd_encode(_stored(image), level=ZSTD_LEVEL),
        lambda stream, shape: _of_bytes(imagecodecs.zstd_decode(stream), shape),
    ),
    "blosc2": ImageCodec(
        _blosc2_encode,
        lambda stream, shape: _of_bytes(imagecodecs.blosc2_decode(stream, numthreads=1), shape),
    ),
    "aec": ImageCodec(
        lambda image: imagecodecs.aec_encode(image.astype(np.uint16).tobytes(), **AEC),
        _aec_decode,
    ),
    "jpegls": ImageCodec(
        imagecodecs.jpegls_encode,
        lambda stream, shape: imagecodecs.jpegls_decode(stream).reshape(shape),
    ),
    "jpeg2000": ImageCodec(
        lambda image: imagecodecs.jpeg2k_encode(
            image, level=0, reversible=True, codecformat="j2k", numthreads=1
        ),
        lambda stream, shape: imagecodecs.jpeg2k_decode(stream, numthreads=1).reshape(shape),
    ),
    "jpegxl": ImageCodec(
        lambda image: imagecodecs.jpegxl_encode(image, lossless=True, effort=JPEGXL_EFFORT, numthreads=1),
        lambda stream, shape: imagecodecs.jpegxl_decode(stream, numthreads=1).reshape(shape),
    ),
}
"""All of them by name."""
