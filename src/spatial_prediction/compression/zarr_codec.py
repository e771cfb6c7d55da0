"""Chunks of Zarr arrays as compressed cubes: a serializer for Zarr 3, found by its name in any process.

Zarr hands a codec the user's own memory, strided and in the user's byte order, and chunks at the edge of an
array in full size.
"""

import asyncio
import dataclasses
import io
import math
from typing import Any

import numpy as np
from zarr.abc.codec import ArrayBytesCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, NDBuffer

from spatial_prediction.compression.container import DTYPES
from spatial_prediction.compression.cubes import PREDICTOR, CubeReader, compress
from spatial_prediction.compression.methods import METHODS
from spatial_prediction.errors import ConfigurationError, StreamError

NAME = "spatial_prediction"
"""Of the codec in the metadata of arrays, and of its entry point."""

LONGEST_AXIS = 1 << 16
"""Columns and bands that predictors take."""


@dataclasses.dataclass(frozen=True)
class CubeCodec(ArrayBytesCodec):
    """Compresses chunks of whole numbers of 8 to 32 bits, each into a container of its own.

    In a chunk of three dimensions or more, one of them is bands, the last of the others columns, and what is
    left are rows. One of two dimensions has a single band.

    Attributes:
        predictor: as of ``compression.compress``.
        delta: largest error of a sample; 0 is lossless.
        band_axis: which dimension is bands; the first unless told otherwise, -1 is the last.

    Raises:
        ConfigurationError: an attribute is not usable.

    Example:
        ``dataset.to_zarr("cube.zarr", encoding={"cube": {"serializer": CubeCodec()}})``
    """

    is_fixed_size = False

    predictor: str = PREDICTOR
    delta: int = 0
    band_axis: int = 0

    def __post_init__(self) -> None:
        if self.predictor not in METHODS:
            raise ConfigurationError(f"predictor={self.predictor!r}: must be one of {', '.join(METHODS)}")
        for name in ("delta", "band_axis"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or (name == "delta" and value < 0):
                raise ConfigurationError(f"{name}={value!r}: must be a whole number")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CubeCodec":
        """Read the codec from the metadata of an array."""
        configuration = data.get("configuration") or {}
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := set(configuration) - known:
            raise ConfigurationError(
                f"the codec {NAME} has no {', '.join(sorted(unknown))}; open the array with a newer "
                "version of this package"
            )
        return cls(**configuration)

    def to_dict(self) -> dict[str, Any]:
        """Give what the metadata of an array say of the codec."""
        return {"name": NAME, "configuration": dataclasses.asdict(self)}

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        """Refuse arrays that cannot be compressed, before anything is written.

        Raises:
            ConfigurationError: the samples are no whole numbers of 8 to 32 bits, or the dimension of bands
                is not there.
        """
        _little_endian(dtype.to_native_dtype())
        if len(shape) >= 3 and not -len(shape) <= self.band_axis < len(shape):
            raise ConfigurationError(f"band_axis={self.band_axis}: the array has {len(shape)} dimensions")

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Say that nobody knows before."""
        raise NotImplementedError

    def _encode_sync(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        samples = np.asarray(chunk_array.as_numpy_array())
        # The values of the user's array, whatever their byte order; the same bytes on every machine.
        samples = samples.astype(_little_endian(chunk_spec.dtype.to_native_dtype()), copy=False)
        cube = samples.transpose(self._axes(samples.ndim)).reshape(self._cube_shape(samples.shape))
        stream = compress(cube, predictor=self.predictor, delta=self.delta)
        return chunk_spec.prototype.buffer.from_bytes(stream)

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        dtype = chunk_spec.dtype.to_native_dtype()
        expected = self._cube_shape(chunk_spec.shape)
        reader = CubeReader(io.BytesIO(chunk_bytes.to_bytes()))
        described = reader.description
        if described.shape != expected or described.dtype != _little_endian(dtype).str:
            raise StreamError(
                f"a chunk holds {described.dtype} {described.shape}, and its array {dtype.str} {expected}; "
                "write the array again"
            )
        cube = np.concatenate(list(reader.groups()), dtype=dtype)
        axes = self._axes(len(chunk_spec.shape))
        samples = cube.reshape([chunk_spec.shape[axis] for axis in axes]).transpose(np.argsort(axes))
        return chunk_spec.prototype.nd_buffer.from_numpy_array(np.ascontiguousarray(samples))

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        return await asyncio.to_thread(self._encode_sync, chunk_data, chunk_spec)

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk_data, chunk_spec)

    def _axes(self, dimensions: int) -> list[int]:
        """Give the dimensions of a chunk, that of bands last where it has one."""
        axes = list(range(dimensions))
        if dimensions >= 3:
            axes.append(axes.pop(self.band_axis))
        return axes

    def _cube_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Give rows, columns and bands of a chunk; one column where there are too many for a predictor."""
        ordered = [shape[axis] for axis in self._axes(len(shape))]
        if len(shape) < 3:
            ordered.append(1)
        if len(shape) < 2 or max(ordered[-2:]) > LONGEST_AXIS:
            return math.prod(shape), 1, 1
        return math.prod(ordered[:-2]), ordered[-2], ordered[-1]


def _little_endian(dtype: np.dtype) -> np.dtype:
    """Give the type in which a chunk is compressed.

    Raises:
        ConfigurationError: there is none.
    """
    found = dtype.newbyteorder("<") if dtype.kind in "iu" else dtype
    if found.str not in DTYPES:
        raise ConfigurationError(
            f"dtype={dtype.name}: the codec {NAME} takes whole numbers of 8 to 32 bits; store such, as with "
            "xarray's encoding {'dtype': 'int16', 'scale_factor': 0.0001, '_FillValue': -32768}"
        )
    return found
