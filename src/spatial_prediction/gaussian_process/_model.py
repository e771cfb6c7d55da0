"""What every model has: a constant mean, noise, and how it takes observations of a grid."""

import abc
from typing import Any, Generic, TypeVar

import equinox as eqx
from jaxtyping import Float

from spatial_prediction.gaussian_process._grid import GridObservations
from spatial_prediction.gaussian_process._posterior import AbstractPosterior
from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real
from spatial_prediction.gaussian_process.kernels import positive

Posterior = TypeVar("Posterior", bound=AbstractPosterior)


class AbstractGP(eqx.Module, Generic[Posterior]):
    """y = mean + f(time, row, column) + noise; kernels of f are the subclass's.

    Attributes:
        mean: the constant mean, in units of the values.
        raw_noise: the variance of the noise is ``noise_floor`` + softplus(raw_noise).
        noise_floor: lower bound of that variance, in squared units of the values; the default is for values
            of unit variance.
    """

    mean: Float[AnyArray, ""] = eqx.field(converter=real, default=0.0, kw_only=True)
    raw_noise: Float[AnyArray, ""] = eqx.field(converter=real, default=0.0, kw_only=True)
    noise_floor: float = eqx.field(static=True, default=1e-6, kw_only=True)

    @property
    @in_double_precision
    def noise_variance(self) -> Float[AnyArray, ""]:
        """Variance of the noise."""
        return self.noise_floor + positive(self.raw_noise)

    def condition(
        self, mask: Any, values: Any, *, times: Any = None, rows: Any = None, columns: Any = None
    ) -> Posterior:
        """Condition on observed cells of a grid.

        Args:
            mask: bool of shape (frames, rows, columns), True where observed.
            values: (N,), frame by frame, row-major, as ``field[mask]`` gives them.
            times: coordinates of the frames, monotonic; by default 0, 1, ...
            rows: coordinates of the rows, likewise.
            columns: coordinates of the columns, likewise.

        Raises:
            ObservationError: shapes do not agree, something is not finite, nothing is observed, or the model
                cannot take what is.
        """
        return self.given(GridObservations.of(mask, values, times=times, rows=rows, columns=columns))

    @abc.abstractmethod
    def given(self, observations: GridObservations) -> Posterior:
        """Condition on observations of a grid that were checked already."""
