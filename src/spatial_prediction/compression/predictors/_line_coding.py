"""From cubes to mapped residuals and back, with any predictor."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Integer, Shaped, UInt16

from spatial_prediction.compression._protocol import LinePredictor, Predictor
from spatial_prediction.compression.predictors._quantiser import map_residuals, unmap_residuals
from spatial_prediction.errors import ConfigurationError, StreamError


def to_residuals(
    cube: Shaped[np.ndarray, "rows columns bands"],
    predictor: Predictor,
    *,
    largest_error: int | Sequence[int] = 0,
) -> UInt16[np.ndarray, "rows columns bands"]:
    """Predict a cube and map the residuals, which :func:`from_residuals` turns back into the cube.

    Args:
        cube: samples, uint8, int8, uint16 or int16, in any byte order and memory layout.
        predictor: fresh, of the cube's columns and bands.
        largest_error: by which a decoded sample may differ, of all bands or of each.

    Raises:
        ConfigurationError: the cube is of another type, or an error is negative.
    """
    low, high = _range(cube.dtype)
    rows, columns, bands = cube.shape
    errors = _errors(largest_error, bands)
    residuals = np.empty(cube.shape, np.uint16)
    mapped, decoded = np.empty((bands, columns), np.int64), np.empty(columns, np.int64)
    for row in range(rows):
        line = cube[row].T.astype(np.int64, order="C")
        if isinstance(predictor, LinePredictor):
            predictor.map_line(line, errors, low, high, mapped)
        else:
            for band in range(bands):
                map_residuals(
                    line[band], *predictor.predict(), errors[band], low, high, mapped[band], decoded
                )
                predictor.update(decoded)
        residuals[row] = mapped.T
    return residuals


def from_residuals(
    residuals: Integer[np.ndarray, "rows columns bands"],
    predictor: Predictor,
    *,
    dtype: np.typing.DTypeLike,
    largest_error: int | Sequence[int] = 0,
) -> Integer[np.ndarray, "rows columns bands"]:
    """Undo :func:`to_residuals`, up to the largest error.

    Args:
        residuals: what :func:`to_residuals` returned.
        predictor: as it was there, fresh.
        dtype: of the cube.
        largest_error: as it was there.

    Raises:
        StreamError: a residual leads out of the range of the type; it is damaged, or the predictor another.
        ConfigurationError: as for :func:`to_residuals`.
    """
    low, high = _range(np.dtype(dtype))
    rows, columns, bands = residuals.shape
    errors = _errors(largest_error, bands)
    cube = np.empty(residuals.shape, dtype)
    line = np.empty((bands, columns), np.int64)
    for row in range(rows):
        mapped = residuals[row].T.astype(np.int64, order="C")
        if isinstance(predictor, LinePredictor):
            right = predictor.unmap_line(mapped, errors, low, high, line)
        else:
            right = _unmapped_bands(predictor, mapped, errors, low, high, line)
        if right < bands:
            raise StreamError(
                f"residuals: line {row}, band {right} leads out of the samples' range, {low} to {high}; "
                "decode with the predictor and the largest error they were made with, or fetch them again"
            )
        cube[row] = line.T
    return cube


def _unmapped_bands(
    predictor: Predictor, mapped: np.ndarray, errors: np.ndarray, low: int, high: int, line: np.ndarray
) -> int:
    """Undo the mapping of a line band by band; return the first band out of its range, or their number."""
    for band in range(len(line)):
        if not unmap_residuals(mapped[band], *predictor.predict(), errors[band], low, high, line[band]):
            return band
        predictor.update(line[band])
    return len(line)


def _range(dtype: np.dtype) -> tuple[int, int]:
    if dtype.kind not in "iu" or dtype.itemsize > 2:
        raise ConfigurationError(
            f"cube: samples are {dtype}; convert them to int16 or uint16 exactly, or scale them"
        )
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _errors(largest_error: int | Sequence[int], bands: int) -> np.ndarray:
    errors = np.array(np.broadcast_to(np.asarray(largest_error, np.int64), (bands,)))
    if (errors < 0).any():
        raise ConfigurationError(f"largest_error is {np.min(errors)}; give 0 (lossless) or more")
    return errors
