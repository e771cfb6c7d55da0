"""One-line rivals: what is to be beaten before a model is worth its name. NumPy and SciPy only.

Each takes the known values (NaN where nothing is known) of all frames and the numbers of the frames to
predict, and returns them complete. Where a method has nothing to go by, it falls back to the pixel's mean.
"""

import warnings
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator, RBFInterpolator
from scipy.spatial import QhullError

Known = Float[np.ndarray, "frames rows columns"]
Predicted = Float[np.ndarray, "predicted rows columns"]


def grand_mean(known: Known, frames: range) -> Predicted:
    """Mean of all that is known."""
    return np.full((len(frames), *known.shape[1:]), np.nanmean(known))


def pixel_mean(known: Known, frames: range) -> Predicted:
    """Mean over time of each pixel; a pixel that was never observed has the mean of the nearest that was."""
    return np.repeat(_climate(known)[None], len(frames), axis=0)


def persistence(known: Known, frames: range) -> Predicted:
    """Last known value of each pixel up to the frame."""
    latest, result = _climate(known), []
    for frame in range(max(frames) + 1):
        latest = np.where(np.isnan(known[frame]), latest, known[frame])
        if frame in frames:
            result.append(latest)
    return np.stack(result)


def nearest_anomaly(known: Known, frames: range) -> Predicted:
    """Pixel mean plus the anomaly of the pixel nearest in the same frame."""
    return _of_anomalies(known, frames, NearestNDInterpolator)


def linear_in_time(known: Known, frames: range) -> Predicted:
    """Each pixel by itself: straight lines between its known values, constant beyond the first and last."""
    result = pixel_mean(known, frames)
    for row, column in np.ndindex(known.shape[1:]):
        (times,) = np.nonzero(~np.isnan(known[:, row, column]))
        if times.size:
            result[:, row, column] = np.interp(frames, times, known[times, row, column])
    return result


def griddata(known: Known, frames: range) -> Predicted:
    """Each frame by itself: linear on triangles of known pixels, the nearest one's value outside of them."""
    return _each_frame(known, frames, _climate(known), _linear)


def thin_plate(known: Known, frames: range) -> Predicted:
    """Each frame by itself: a thin-plate spline through the known pixels."""
    return _each_frame(known, frames, _climate(known), _spline)


def anomaly_thin_plate(known: Known, frames: range) -> Predicted:
    """Pixel mean plus a thin-plate spline of the same frame's anomalies."""
    return _of_anomalies(known, frames, _spline)


BASELINES: dict[str, Callable[[Known, range], Predicted]] = {
    method.__name__: method
    for method in (
        grand_mean,
        pixel_mean,
        persistence,
        nearest_anomaly,
        linear_in_time,
        griddata,
        thin_plate,
        anomaly_thin_plate,
    )
}
"""All of them by name."""

Interpolator = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]


def _climate(known: Known) -> Float[np.ndarray, "rows columns"]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing, which is replaced below
        mean = np.nanmean(known, axis=0)
    return _filled(mean, NearestNDInterpolator)


def _of_anomalies(known: Known, frames: range, interpolator: Interpolator) -> Predicted:
    climate = _climate(known)
    return climate + _each_frame(known - climate, frames, np.zeros_like(climate), interpolator)


def _each_frame(known: Known, frames: range, fallback: np.ndarray, interpolator: Interpolator) -> Predicted:
    return np.stack(
        [
            fallback if np.isnan(known[frame]).all() else _filled(known[frame], interpolator)
            for frame in frames
        ]
    )


def _filled(image: np.ndarray, interpolator: Interpolator) -> Float[np.ndarray, "rows columns"]:
    """Fill the gaps of an image, from its other pixels."""
    gaps = np.isnan(image)
    if not gaps.any():
        return image
    filled = image.copy()
    points = np.argwhere(~gaps).astype(float)
    filled[gaps] = interpolator(points, image[~gaps])(np.argwhere(gaps).astype(float))
    return filled


def _linear(points: np.ndarray, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    nearest = NearestNDInterpolator(points, values)
    try:
        linear = LinearNDInterpolator(points, values)
    except QhullError:  # fewer than three points, or all on one line
        return nearest

    def at(places: np.ndarray) -> np.ndarray:
        inside = linear(places)
        return np.where(np.isnan(inside), nearest(places), inside)

    return at


def _spline(points: np.ndarray, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    try:
        return RBFInterpolator(points, values, kernel="thin_plate_spline")
    except (ValueError, np.linalg.LinAlgError):  # too few points for its plane, or all on one line
        return NearestNDInterpolator(points, values)
