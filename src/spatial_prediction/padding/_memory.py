"""Linear prediction whose coefficients do not follow from the map at hand: learned, or remembered."""

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spatial_prediction.padding._autocorrelation import AutocorrelationEquations
from spatial_prediction.padding._base import (
    AbstractPadding,
    PadWidth,
    as_pad_width,
    at_least_float32,
    check_floating,
)
from spatial_prediction.padding._sides import Sides, with_outer_strips
from spatial_prediction.padding.linear_prediction.frame import check_neighbourhood, with_predicted_frame
from spatial_prediction.padding.linear_prediction.lagged_products import lagged_products

_Arrays = TypeVar("_Arrays", Array, Sides)

_SAMPLE = 8
"""Maps of a batch that a memory of a hundred batches looks at: more would cost more than they improve it."""


class LearnedPrediction(AbstractPadding):
    """Predict each channel with coefficients that are trained like a kernel, by gradient descent.

    No statistics of the map are taken but the mean of its border, which is removed before and added after,
    so a constant stays constant and the cost goes with the perimeter. Untrained it replicates,
    ``1234 -> 11 1234 44``.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        coefficients: of each side, shape (positions, length, width, channels); see
            :mod:`spatial_prediction.padding.linear_prediction.frame`.

    Source: among the further work that arXiv 2502.12300 suggests.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    coefficients: Sides

    @classmethod
    def initialised(
        cls, pad_width: int | PadWidth, length: int, width: int, *, channels: int
    ) -> "LearnedPrediction":
        """Begin with replication.

        Raises:
            ValueError: the neighbourhood is not ``length >= 1`` by an odd ``width``.
        """
        check_neighbourhood(length, width)
        sides = [jnp.array(_replication(length, width, channels)) for _ in range(4)]  # no buffer twice
        return cls(as_pad_width(pad_width), Sides(*sides))

    def for_channels(self, channels: int) -> "LearnedPrediction":
        """Give each of ``channels`` coefficients of its own, copies of those of the one for all.

        Raises:
            ValueError: there are coefficients for several channels, and for another number.
        """
        return LearnedPrediction(self.pad_width, _for_channels(self.coefficients, channels))

    def frame(self, x: Array) -> Sides:
        """Predict the frame; see :class:`AbstractPadding`.

        Raises:
            ValueError: the map is smaller than the neighbourhood, or has other channels than the
                coefficients, which may be of one channel for all.
        """
        return self.with_frame(x)[1]

    def with_frame(self, x: Array) -> tuple[Array, Sides]:
        """Return ``x`` with its frame; see :class:`AbstractPadding`."""
        return _with_frame(x, self.pad_width, self.coefficients)


class RunningPrediction(AbstractPadding):
    """Predict each channel with coefficients from the autocorrelation of the maps seen in training.

    :meth:`remember` takes up the statistics of a few maps of a batch, like a batch norm's running
    statistics; padding itself takes none. The autocorrelation method with Tukey window; see
    :class:`spatial_prediction.padding.AutocorrelationPrediction`. No gradient reaches the memory. Before
    the first batch it replicates, ``1234 -> 11 1234 44``.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: pixels of the neighbourhood along the padding direction.
        width: pixels across it, odd.
        decay: share of the memory that remains after a batch. The first batches are averaged.
        sums: running autocorrelations, shape (lags, channels).
        coefficients: that follow from them, of each side, shape (positions, length, width, channels).
        batches: how many were taken up.

    Source: among the further work that arXiv 2502.12300 suggests.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    decay: float = eqx.field(static=True)
    sums: Float[Array, "lags channels"]
    coefficients: Sides
    batches: Float[Array, ""]

    @property
    def couples_batch(self) -> bool:
        """Whether the memory depends on which maps form a batch: it does."""
        return True

    @classmethod
    def initialised(
        cls, pad_width: int | PadWidth, length: int, width: int, *, channels: int, decay: float = 0.99
    ) -> "RunningPrediction":
        """Begin with no memory.

        Raises:
            ValueError: the neighbourhood is not ``length >= 1`` by an odd ``width``.
        """
        check_neighbourhood(length, width)
        lags = AutocorrelationEquations(length, width, length, width).lags
        sides = [jnp.array(_replication(length, width, channels)) for _ in range(4)]  # no buffer twice
        return cls(
            as_pad_width(pad_width),
            length,
            width,
            decay,
            sums=jnp.zeros((len(lags), channels)),
            coefficients=Sides(*sides),
            batches=jnp.zeros(()),
        )

    def for_channels(self, channels: int) -> "RunningPrediction":
        """Give each of ``channels`` a memory of its own, a copy of that of the one for all.

        Raises:
            ValueError: it remembers several channels, and another number.
        """
        return RunningPrediction(
            self.pad_width,
            self.length,
            self.width,
            self.decay,
            sums=_for_channels(self.sums, channels),
            coefficients=_for_channels(self.coefficients, channels),
            batches=jnp.copy(self.batches),
        )

    def frame(self, x: Array) -> Sides:
        """Predict the frame; see :class:`AbstractPadding`.

        Raises:
            ValueError: the map is smaller than the neighbourhood, or has other channels than the
                coefficients, which may be of one channel for all.
        """
        return self.with_frame(x)[1]

    def with_frame(self, x: Array) -> tuple[Array, Sides]:
        """Return ``x`` with its frame; see :class:`AbstractPadding`."""
        return _with_frame(x, self.pad_width, jax.lax.stop_gradient(self.coefficients))

    def remember(self, x: Float[Array, "*batch height width channels"]) -> "RunningPrediction":
        """Take up the statistics of channels-last maps, of many only a few; return the new memory.

        A channel whose statistics are not finite, as by a NaN or an overflow, is left as it was.

        Raises:
            ValueError: the map is smaller than the neighbourhood, or has other channels than the memory.
        """
        check_floating(x)
        _check_size(x, self.length, self.width)
        if self.sums.shape[-1] != x.shape[-1]:
            raise ValueError(_other_channels(x.shape[-1], self.sums.shape[-1]))
        equations = AutocorrelationEquations(self.length, self.width, *x.shape[-3:-1])
        x = x.reshape(-1, *x.shape[-3:])
        x = x[:: -(-len(x) // _SAMPLE)]
        x = jax.lax.stop_gradient(x).astype(at_least_float32(x.dtype))
        _, sums = lagged_products(x, equations.lags, "tukey")
        of_batch = jnp.mean(sums, axis=1) / (x.shape[-3] * x.shape[-2])
        # what is not finite would stay in the memory for ever
        of_batch = jnp.where(jnp.isfinite(of_batch).all(0), of_batch.astype(self.sums.dtype), self.sums)
        share = jnp.maximum(1 - self.decay, 1 / (self.batches + 1))
        sums = self.sums + share * (of_batch - self.sums)
        return RunningPrediction(
            self.pad_width,
            self.length,
            self.width,
            self.decay,
            sums=sums,
            coefficients=equations.shaped(*equations.solutions(sums, ridge=1e-7)),
            batches=self.batches + 1,
        )


def _for_channels(arrays: _Arrays, channels: int) -> _Arrays:
    """Copy arrays (..., channels or 1) for each channel; no buffer is shared with another's."""

    def copied(array: Array) -> Array:
        if array.shape[-1] not in (1, channels):
            raise ValueError(_other_channels(channels, array.shape[-1]))
        return jnp.copy(jnp.broadcast_to(array, (*array.shape[:-1], channels)))

    return jax.tree.map(copied, arrays)


def _replication(length: int, width: int, channels: int) -> np.ndarray:
    """Coefficients (positions, length, width, channels) that take the nearest pixel."""
    coefficients = np.zeros((width, length, width, channels), np.float32)
    coefficients[:, -1] = np.eye(width)[..., None]
    return coefficients


def _with_frame(x: Array, pad_width: PadWidth, coefficients: Sides) -> tuple[Array, Sides]:
    """Return ``x`` with its frame, from the same coefficients for all maps and the mean of each border."""
    check_floating(x)
    _, length, width, channels = coefficients.top.shape
    _check_size(x, length, width)
    if channels not in (1, x.shape[-1]):
        raise ValueError(_other_channels(x.shape[-1], channels))
    values, known = with_outer_strips(x.astype(at_least_float32(x.dtype)), (length, length))
    means = [jnp.mean(strip, axis=(-3, -2)) for strip in known]
    batch = x.shape[:-3]

    def of_each_map(side: Array) -> Array:
        side = side.astype(values.dtype).reshape(*side.shape[:3], *[1] * len(batch), side.shape[-1])
        return jnp.broadcast_to(side, (*side.shape[:3], *batch, x.shape[-1]))

    of_maps = Sides(*(of_each_map(side) for side in coefficients))
    values, frame = with_predicted_frame(values, sum(means[1:], means[0]) / 4, of_maps, pad_width)
    return values.astype(x.dtype), Sides(*(strip.astype(x.dtype) for strip in frame))


def _other_channels(wanted: int, channels: int) -> str:
    return f"maps have {wanted} channels, the padding's arrays {channels}; make it with channels={wanted}"


def _check_size(x: Array, length: int, width: int) -> None:
    if min(x.shape[-3:-1]) < max(length, width):
        raise ValueError(
            f"maps of {x.shape[-3]} x {x.shape[-2]} pixels are smaller than the neighbourhood of the "
            f"coefficients, {length}x{width}; use a smaller one"
        )
