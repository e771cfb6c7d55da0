"""Observations on a grid of frames, rows and columns."""

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from spatial_prediction.errors import ObservationError


class Grid(eqx.Module):
    """Coordinates of a grid: float64 arrays, each strictly increasing or decreasing."""

    times: Float[np.ndarray, " frames"]
    rows: Float[np.ndarray, " rows"]
    columns: Float[np.ndarray, " columns"]

    @classmethod
    def of(cls, shape: tuple[int, ...], **coordinates: object) -> "Grid":
        """Make a grid; coordinates that are not given, or None, are indices.

        Args:
            shape: (frames, rows, columns).
            coordinates: ``times``, ``rows``, ``columns``.

        Raises:
            ObservationError: coordinates are not monotonic, not finite, or of another length.
        """
        axes = {}
        for name, size in zip(("times", "rows", "columns"), shape, strict=True):
            given = coordinates.get(name)
            axis = np.arange(size, dtype=np.float64) if given is None else np.asarray(given, np.float64)
            if axis.shape != (size,):
                raise ObservationError(f"{name} has shape {axis.shape}; the mask asks for ({size},)")
            steps = np.diff(axis)
            if not np.isfinite(axis).all() or not (np.all(steps > 0) or np.all(steps < 0)):
                raise ObservationError(f"{name} must be finite, sorted and without duplicates; got {axis}")
            axes[name] = axis
        return cls(**axes)

    @property
    def pixels(self) -> Float[np.ndarray, "pixels 2"]:
        """(row, column) coordinates of all pixels, row-major."""
        return np.stack(np.meshgrid(self.rows, self.columns, indexing="ij"), axis=-1).reshape(-1, 2)


class GridObservations(eqx.Module):
    """Values at cells of a grid. A cell may be observed more than once."""

    grid: Grid
    frames: Int[np.ndarray, " N"]
    pixels: Int[np.ndarray, " N"]
    values: Float[np.ndarray, " N"]

    @classmethod
    def of(cls, mask: object, values: object, **coordinates: object) -> "GridObservations":
        """Read a mask and the values of its True cells.

        Args:
            mask: bool, or 0 and 1, of shape (frames, rows, columns); True is observed.
            values: real, shape (N,): frame by frame, row-major, as ``field[mask]`` gives them.
            coordinates: see :meth:`Grid.of`.

        Raises:
            ObservationError: shapes do not agree, values are not finite, or nothing is observed.
        """
        observed = np.asarray(mask)
        if observed.ndim != 3:
            raise ObservationError(f"mask has shape {observed.shape}; it must be (frames, rows, columns)")
        if observed.dtype != np.bool_:
            if not np.isin(observed, (0, 1)).all():
                raise ObservationError(f"mask of dtype {observed.dtype} has values other than 0 and 1")
            observed = observed.astype(np.bool_)
        checked = checked_values(values, int(observed.sum()))
        frames, rows, columns = np.nonzero(observed)
        grid = Grid.of(observed.shape, **coordinates)
        return cls(grid, frames, rows * observed.shape[2] + columns, checked)

    @property
    def points(self) -> Float[np.ndarray, "N 3"]:
        """(time, row, column) coordinates of the observations."""
        return np.column_stack([self.grid.times[self.frames], self.grid.pixels[self.pixels]])

    def joined(self, mask: object, values: object) -> "GridObservations":
        """Add further observations on the same pixels; the mask's frames begin with this grid's first.

        Either mask may have more frames than the other. Frames beyond those of the grid are its next ones,
        one unit apart, and can only follow times that are indices.

        Raises:
            ObservationError: rows and columns differ, or a frame has no known time.
        """
        shape = np.asarray(mask).shape
        if shape[1:] != (self.grid.rows.size, self.grid.columns.size):
            raise ObservationError(
                f"mask has shape {shape}; its rows and columns must be "
                f"({self.grid.rows.size}, {self.grid.columns.size}), those of the grid conditioned on"
            )
        times = self.grid.times
        if shape[0] > times.size:
            if not np.array_equal(times, np.arange(times.size)):
                raise ObservationError(
                    f"mask has {shape[0]} frames, but times only {times.size}; "
                    "condition on a mask with all frames, unobserved ones included"
                )
            times = np.arange(shape[0], dtype=np.float64)
        other = GridObservations.of(
            mask, values, times=times[: shape[0]], rows=self.grid.rows, columns=self.grid.columns
        )
        return GridObservations(
            Grid(times, self.grid.rows, self.grid.columns),
            np.concatenate([self.frames, other.frames]),
            np.concatenate([self.pixels, other.pixels]),
            np.concatenate([self.values, other.values]),
        )


def checked_values(values: object, count: int) -> Float[np.ndarray, " N"]:
    """Observed values as float64 of shape (count,).

    Raises:
        ObservationError: another number of them, one is not finite, or there is none.
    """
    checked = np.asarray(values, np.float64)
    if count == 0:
        raise ObservationError("nothing is observed; a model is conditioned on at least one value")
    if checked.shape != (count,):
        raise ObservationError(f"values has shape {checked.shape}; {count} observations ask for ({count},)")
    if not (finite := np.isfinite(checked)).all():
        first = int(np.argmin(finite))
        raise ObservationError(
            f"{count - finite.sum()} of {count} values are not finite, first values[{first}] = "
            f"{checked[first]}; leave such cells out of the mask"
        )
    return checked


def checked_noise_variances(variances: object, count: int) -> Float[np.ndarray, " N"]:
    """Known variances of errors of measurement as float64 of shape (count,); zeros for None.

    Raises:
        ObservationError: another number of them, or one is negative or not finite.
    """
    if variances is None:
        return np.zeros(count)
    checked = checked_values(variances, count)
    if (checked < 0).any():
        raise ObservationError(f"noise_variances must not be negative, got {np.min(checked)}")
    return checked


def checked_points(points: object) -> Float[np.ndarray, "M 3"]:
    """Coordinates as float64.

    Raises:
        ObservationError: they have another shape or are not finite.
    """
    checked = np.asarray(points, np.float64)
    if checked.ndim != 2 or checked.shape[1] != 3:
        raise ObservationError(f"points has shape {checked.shape}; it must be (M, 3): time, row, column")
    if not np.isfinite(checked).all():
        first = int(np.argmin(np.isfinite(checked).all(axis=1)))
        raise ObservationError(f"points[{first}] = {checked[first]} is not finite; leave it out")
    return checked
