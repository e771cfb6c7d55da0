"""Linear prediction fitted by least squares, for any neighbourhood, if wanted only near each side."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from spatial_prediction.padding._base import PadWidth, as_pad_width
from spatial_prediction.padding._sides import Sides, transposed
from spatial_prediction.padding.linear_prediction.frame import (
    AbstractLinearPrediction,
    check_neighbourhood,
    fitting_width,
)
from spatial_prediction.padding.linear_prediction.normal_equations import (
    guarded_quotient,
    solve_normal_equations,
)


class LeastSquaresPrediction(AbstractLinearPrediction):
    """Linear prediction whose coefficients minimise the squared error over complete neighbourhoods.

    The covariance method, which :class:`spatial_prediction.padding.CovariancePrediction` has in closed form
    for one and two pixels, for neighbourhoods of any size, over the whole map or near each side: images
    differ from place to place. Each side gets its own coefficients. A row that swings about its mean is
    continued, ``3131 -> 31 3131 31`` with 1x1 but for the ridge. Nothing keeps wide frames from growing.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: pixels of the neighbourhood along the padding direction.
        width: pixels across it, odd.
        band: fit only to so many pixels along each side.
        decay: weigh squared errors by ``exp(-distance / decay)`` from that side, in pixels.
        ridge: added to the diagonal of the normal equations, as a share of its mean.
        finite_only: fit to the neighbourhoods that are finite throughout; see
            :class:`AbstractLinearPrediction`.

    A map too small for the neighbourhood lowers it; the mean is predicted where nothing can be fitted.
    Source: the covariance method of arXiv 2502.12300, sec. 2; larger neighbourhoods, bands and decays are
    ours.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    band: int | None = eqx.field(static=True, default=None)
    decay: float | None = eqx.field(static=True, default=None)
    ridge: float = eqx.field(static=True, default=1e-6)
    finite_only: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        check_neighbourhood(self.length, self.width)
        if self.band is not None and self.band <= self.length:
            raise ValueError(
                f"a band of {self.band} pixels holds no complete neighbourhood of length {self.length} and "
                "the pixel it predicts; widen it"
            )
        if self.decay is not None and self.decay <= 0:
            raise ValueError(f"decay must be positive, in pixels, got {self.decay}")

    def fit(self, x: Array) -> tuple[Array, Array, Sides]:
        """Fit the coefficients to the map; see :class:`AbstractLinearPrediction`."""
        return x, *self._fitted(x, None)

    def fit_to_known(self, x: Array, known: Array) -> tuple[Array, Sides]:
        """Fit to the places whose pixels are all known; see :class:`AbstractLinearPrediction`."""
        return self._fitted(x, known)

    def _fitted(self, x: Array, known: Array | None) -> tuple[Array, Sides]:
        mean = jnp.mean(x, axis=(-3, -2))
        z = x - mean[..., None, None, :]
        top, bottom = self._upwards_and_downwards(z, known)
        across = None if known is None else transposed(known)
        return mean, Sides(top, bottom, *self._upwards_and_downwards(transposed(z), across))

    def _upwards_and_downwards(
        self,
        z: Float[Array, "*batch height width channels"],
        known: Bool[Array, "*batch height width channels"] | None,
    ) -> tuple[Array, Array]:
        """Coefficients (positions, length, width, *batch, channels) for the upper and the lower side."""
        height, breadth = z.shape[-3:-1]
        length, width = max(1, min(self.length, height - 1)), fitting_width(self.width, breadth)
        rows = min(self.band or height, height)
        # of rows of places, of which the last is nearest to the border
        weights = np.exp(-np.arange(rows - length)[::-1] / (self.decay or np.inf))

        def summed(near: slice, weights: np.ndarray) -> Array:
            seen = _windows(z[..., near, :, :], length + 1, width)
            if known is not None:
                complete = jnp.all(_windows(known[..., near, :, :], length + 1, width), axis=0)
                seen = jnp.where(complete, seen, 0)
            return _products(seen, weights)

        below = summed(slice(height - rows, height), weights)
        # what is above is what is below in the map turned by 180 degrees, whose windows are read backwards
        above = summed(slice(rows), weights[::-1])[::-1, ::-1]
        unknowns = length * width
        products = jnp.stack([above, below], axis=-2)[:unknowns]
        matrix, right_hand_side = products[:, :unknowns], products[:, unknowns:]
        size = jnp.trace(matrix) / unknowns
        solution = solve_normal_equations(
            guarded_quotient(matrix, size), guarded_quotient(right_hand_side, size), ridge=self.ridge
        )
        shaped = jnp.moveaxis(solution, 1, 0).reshape(width, length, width, *solution.shape[2:])
        return shaped[..., 0, :], shaped[..., 1, :]


def _windows(z: Array, rows: int, columns: int) -> Array:
    """Pixels of a window of ``rows x columns`` in all its places; (pixels, *batch, y, x, channels)."""
    down, across = z.shape[-3] - rows + 1, z.shape[-2] - columns + 1
    return jnp.stack([z[..., y : y + down, x : x + across, :] for y in range(rows) for x in range(columns)])


def _products(windows: Array, weights: np.ndarray) -> Array:
    """Sums over places of products of two pixels of a window, (pixels, pixels, *batch, channels)."""
    weighted = windows * jnp.asarray(weights, windows.dtype)[:, None, None]
    return jnp.einsum("i...yxc,j...yxc->ij...c", weighted, windows, precision="highest")
