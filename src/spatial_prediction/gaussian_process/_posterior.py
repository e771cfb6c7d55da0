"""What every conditioned model offers."""

import abc
from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import numpy as np
from jaxtyping import Float

from spatial_prediction.gaussian_process._grid import Grid, checked_points
from spatial_prediction.gaussian_process._precision import AnyArray, real

Posterior = TypeVar("Posterior", bound="AbstractPosterior")

CHUNK = 2048
"""Points predicted by one call: bounds the memory of covariances with the observations."""


class AbstractPosterior(eqx.Module):
    """A model conditioned on observations, which are reduced once and serve any parameters."""

    model: eqx.AbstractVar[Any]

    def with_model(self: Posterior, model: Any) -> Posterior:
        """Keep the observations, take other parameters: what a loss in a fit does.

        ``lambda model: -posterior.with_model(model).log_marginal_likelihood()`` can be differentiated and
        compiled.
        """
        return eqx.tree_at(lambda posterior: posterior.model, self, model)

    @property
    @abc.abstractmethod
    def grid(self) -> Grid:
        """Grid that the model was conditioned on."""

    @abc.abstractmethod
    def log_marginal_likelihood(self) -> Float[AnyArray, ""]:
        """Log density of the observed values: float64, shape ()."""

    @abc.abstractmethod
    def joined(self: Posterior, mask: Any, values: Any) -> Posterior:
        """Condition on further observations too."""

    def log_density(self, mask: Any, values: Any) -> Float[AnyArray, ""]:
        """Joint log density of further observations, noise included, given those conditioned on.

        Args:
            mask: bool of shape (frames, rows, columns) on the same rows and columns, from the same first
                frame on; True where a further value was observed. A cell may be observed twice.
            values: (N,), frame by frame, row-major.

        Returns:
            float64 of shape (); not divided by N.
        """
        return real(self.joined(mask, values).log_marginal_likelihood() - self.log_marginal_likelihood())

    @abc.abstractmethod
    def _prepared(self) -> Any:
        """Pytree that all chunks of a prediction share, such as a factor of the covariance."""

    @abc.abstractmethod
    def _predict_chunk(
        self, prepared: Any, points: Float[AnyArray, "M 3"]
    ) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
        """Mean and variance at a bounded number of points."""

    def predict(
        self, points: Any, *, on_chunk: Callable[[int], None] | None = None
    ) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
        """Predict anywhere.

        Args:
            points: (M, 3): time, row, column, in the units of the grid's coordinates (indices by default).
            on_chunk: called with the number of points predicted so far.

        Returns:
            Mean, and variance with that of the noise, each float64 of shape (M,).

        Raises:
            ObservationError: points have another shape or are not finite.
        """
        points = checked_points(points)
        size, prepared = min(CHUNK, len(points)), self._prepared()
        parts = []
        for start in range(0, len(points), CHUNK):
            part = points[start : start + CHUNK]
            # All parts have one size, so that one compiled program serves them.
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            parts.append(
                [np.asarray(result)[: len(part)] for result in self._predict_chunk(prepared, filled)]
            )
            if on_chunk is not None:
                on_chunk(start + len(part))
        mean, variance = np.concatenate(parts, axis=1) if parts else np.zeros((2, 0))
        return mean, variance

    def predict_grid(
        self, frames: Any
    ) -> tuple[Float[AnyArray, "frames rows columns"], Float[AnyArray, "frames rows columns"]]:
        """Predict all pixels of the grid at some times.

        Args:
            frames: times, (F,), in the units of the grid's; any, also between and beyond its frames.

        Returns:
            Mean, and variance with that of the noise, each float64 of shape (F, rows, columns).
        """
        times = np.asarray(frames, np.float64)
        pixels, shape = self.grid.pixels, (-1, self.grid.rows.size, self.grid.columns.size)
        points = np.column_stack([np.repeat(times, len(pixels)), np.tile(pixels, (len(times), 1))])
        mean, variance = self.predict(points)
        return mean.reshape(shape), variance.reshape(shape)
