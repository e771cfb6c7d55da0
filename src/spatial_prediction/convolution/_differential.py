"""Differential convolution: at the border, a transformed kernel on the nearest complete window.

    sum_t K_t p(t - s) = sum_j K'_j u_j
    K'_j = sum_t K_t L_j(t - s),    L_j(t) = prod_{m != j} (t - m) / (j - m)

Along one axis, let a window of k pixels be centred s pixels outside the range of complete windows, and let
u_0 ... u_{k-1} be the pixels of the nearest complete window. The polynomial of degree k - 1 through them is
p(t) = sum_j L_j(t) u_j with the Lagrange basis L_j. The left side of the first equation applies the kernel K
to p, s pixels further out; the right side applies the transformed kernel K' = T_s K to the complete window.

L_j is 1 at j and 0 at the other samples, so a tap t - s inside the complete window picks just that pixel. The
other |s| taps fall outside the map and get L_j(-1), L_j(-2), ..., which are the (integer) weights of Lagrange
extrapolation of order k. Hence transforming the kernel is the same as extrapolating the map:
(T K) u = K (T' u). In two dimensions both factorise over the axes. We compute the second form, one
convolution of the extended map.

For k = 3, s = 1 before the first complete window, and a kernel (a, b, c): L(-1) = (3, -3, 1), and
K' = (3a + b, -3a + c, a).
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from spatial_prediction.convolution._convolve import convolve
from spatial_prediction.convolution._layer import (
    AbstractConv2d,
    channels_first,
    channels_last,
    channels_last_bias,
    channels_last_kernel,
    check_odd,
)
from spatial_prediction.padding._base import at_least_float32, check_map
from spatial_prediction.padding._extrapolation import extrapolation_weights


def differential_convolution(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
    *,
    edge_kernel: Float[Array, "rows columns group_inputs outputs"] | None = None,
    edge_bias: Shaped[Array, "..."] | None = None,
    keep_border_gradient: bool = True,
    stride: Sequence[int] = (1, 1),
    dilation: Sequence[int] = (1, 1),
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Convolve to the same size (at stride 1); :class:`DifferentialConv2d` explains the method.

    With a kernel of three ones in a row, ``1 4 9 16 -> 5 14 29 50``.

    Args:
        x: channels-last maps, any floating dtype.
        kernel: odd rows and columns, dtype of ``x``; inputs / group_inputs groups.
        bias: added to the result.
        edge_kernel: replaces ``kernel`` at incomplete windows.
        edge_bias: with an edge kernel, replaces ``bias`` there; None adds nothing.
        keep_border_gradient: whether ``x`` gets a gradient through incomplete windows.
        stride: distance in pixels between outputs, along rows and columns; the first is at pixel 0.
        dilation: distance in pixels between neighbouring taps, along rows and columns.

    Returns:
        The convolved maps, dtype of ``x``, of ceil(length / stride) pixels along each axis.

    Raises:
        ValueError: the kernel has an even size or input channels that do not divide those of ``x``, ``x`` has
            no rows, columns or channels, or an edge bias comes without an edge kernel.

    Source: arXiv 2309.06370.
    """
    size = kernel.shape[:2]
    check_odd(size)
    check_map(x)
    if edge_kernel is None and edge_bias is not None:
        raise ValueError("edge_bias was given without edge_kernel; give both, or leave the bias out")
    extended = _extended(_extended(x, size[1], dilation[1], axis=-2), size[0], dilation[0], axis=-3)
    if edge_kernel is None and keep_border_gradient:
        return convolve(extended, kernel, bias, stride=stride, dilation=dilation)

    if edge_kernel is None:
        edge_kernel, edge_bias = kernel, bias
    if not keep_border_gradient:
        extended = jax.lax.stop_gradient(extended)

    def outputs(rows: tuple[int, int], columns: tuple[int, int], *, inside: bool = False) -> Array:
        taken = [
            _pixels_under(*between, k, s, d, offset=k // 2 * d if inside else 0)
            for between, k, s, d in zip((rows, columns), size, stride, dilation, strict=True)
        ]
        source, weights, added = (x, kernel, bias) if inside else (extended, edge_kernel, edge_bias)
        return convolve(source[..., taken[0], taken[1], :], weights, added, stride=stride, dilation=dilation)

    (top, bottom, height), (left, right, width) = (
        _complete_windows(*axis) for axis in zip(x.shape[-3:-1], size, stride, dilation, strict=True)
    )
    if top >= bottom or left >= right:
        return outputs((0, height), (0, width))
    middle = [outputs((top, bottom), (a, b)) for a, b in ((0, left), (right, width)) if a < b]
    middle.insert(1 if left else 0, outputs((top, bottom), (left, right), inside=True))
    strips = [outputs((a, b), (0, width)) for a, b in ((0, top), (bottom, height)) if a < b]
    strips.insert(1 if top else 0, jnp.concatenate(middle, axis=-2))
    return jnp.concatenate(strips, axis=-3)


class DifferentialConv2d(AbstractConv2d):
    """A convolution that applies a transformed kernel where a window is incomplete (DiffConv2d).

        y = sum_j K'_j u_j,    K'_j = sum_t K_t L_j(t - s)

    An incomplete window is moved by s pixels to the nearest complete window u, and the kernel K is
    transformed so that it gives what K would give further out on the polynomial through u (L_j are the
    Lagrange polynomials). This equals Lagrange extrapolation of the map, of order k along an axis where the
    kernel has k taps, followed by a valid convolution. Polynomials of degree k - 1 are continued exactly:
    ``1 4 9 16 -> 5 14 29 50`` for a kernel of three ones in a row. Noise is amplified as by
    :class:`spatial_prediction.padding.LagrangeExtrapolation`. If the map is smaller than the kernel, the
    polynomial goes through all its pixels.

    With dilation d the map is split into d x d interleaved maps, one for each phase, and the result is that
    of the undilated kernel on each: known pixels are used as they are, and the polynomial is on
    the dilated grid. With stride s the result is every s-th pixel of that with stride 1, from the first on.
    (The published code has neither.)

    Arguments and fields are those of ``equinox.nn.Conv2d``, with odd kernel sizes and without padding, and
    the same key draws the same weights. Further arguments:

    Args:
        keep_border_gradient: False stops the gradient to the input through incomplete windows; the weights
            still get theirs.
        edge_kernel: train a separate kernel and bias, ``edge_weight`` and ``edge_bias``, for incomplete
            windows; it is transformed in the same way. They begin as copies of ``weight`` and ``bias``, so
            that they change nothing in an untrained layer (the published code draws them anew).

    Raises:
        ValueError: a kernel size is even, or what ``equinox.nn.Conv2d`` refuses.

    Source: arXiv 2309.06370.
    """

    edge_weight: Array | None
    edge_bias: Array | None
    keep_border_gradient: bool = eqx.field(static=True)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        use_bias: bool = True,
        *,
        keep_border_gradient: bool = True,
        edge_kernel: bool = False,
        dtype: Any = None,
        key: Array,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            "SAME",
            dilation,
            groups,
            use_bias,
            dtype=dtype,
            key=key,
        )
        check_odd(self.kernel_size)
        # Copies, not references: an optimiser may donate the buffers, and each only once.
        self.edge_weight = jnp.copy(self.weight) if edge_kernel else None
        self.edge_bias = None if self.bias is None or not edge_kernel else jnp.copy(self.bias)
        self.keep_border_gradient = keep_border_gradient

    def __call__(
        self, x: Float[Array, "channels height width"], *, key: Array | None = None
    ) -> Float[Array, "outputs out_height out_width"]:
        """Convolve one example (channels, height, width); ``key`` is ignored, as in Equinox.

        Returns:
            Shape (out_channels, ceil(height / stride), ceil(width / stride)), dtype of ``x``.

        Raises:
            ValueError: ``x`` does not have that rank and number of channels, or has no pixels.
        """
        del key
        y = differential_convolution(
            channels_last(x, self.in_channels),
            channels_last_kernel(self.weight),
            channels_last_bias(self.bias),
            edge_kernel=None if self.edge_weight is None else channels_last_kernel(self.edge_weight),
            edge_bias=channels_last_bias(self.edge_bias),
            keep_border_gradient=self.keep_border_gradient,
            stride=self.stride,
            dilation=self.dilation,
        )
        return channels_first(y)


def _complete_windows(length: int, size: int, stride: int, dilation: int) -> tuple[int, int, int]:
    """First output with a complete window, the first one after these, and the number of outputs."""
    reach = size // 2 * dilation
    return -(-reach // stride), (length - 1 - reach) // stride + 1, -(-length // stride)


def _pixels_under(first: int, stop: int, size: int, stride: int, dilation: int, *, offset: int) -> slice:
    """Slice of the pixels under windows ``first`` to ``stop - 1``; window 0 begins at pixel ``-offset``."""
    return slice(first * stride - offset, (stop - 1) * stride + (size - 1) * dilation + 1 - offset)


def _extended(x: Array, size: int, dilation: int, *, axis: int) -> Array:
    """Extrapolate along ``axis`` until every window of that size is complete."""
    matrix = extension_matrix(x.shape[axis], size, dilation)
    if not len(matrix):
        return x
    # The weights cancel one another and grow into the thousands, which neither bfloat16 can represent nor the
    # reduced precision in which accelerators multiply by default.
    wide = at_least_float32(x.dtype)

    def continued(nearest: Array, weights: np.ndarray) -> Array:
        beyond = jnp.tensordot(
            jnp.asarray(weights, wide),
            nearest.astype(wide),
            axes=(1, nearest.ndim + axis),
            precision=jax.lax.Precision.HIGHEST,
        )
        return jnp.moveaxis(beyond, 0, axis).astype(x.dtype)

    count = matrix.shape[1]
    before = continued(jax.lax.slice_in_dim(x, 0, count, axis=axis), matrix)
    after = continued(jax.lax.slice_in_dim(x, x.shape[axis] - count, None, axis=axis), matrix[::-1, ::-1])
    return jnp.concatenate([before, x, after], axis)


def extension_matrix(length: int, size: int, dilation: int) -> np.ndarray:
    """Weights that continue the first pixels of an axis backwards for a kernel of ``size`` taps.

    Pixel -i is extrapolated from the nearest ``size`` of the pixels -i + dilation, -i + 2 dilation, ...
    that are in the map, or from all of them if there are fewer.

    Returns:
        float64, shape (size // 2 * dilation, min(length, size * dilation)): rows are the pixels before the
        map in the order of the axis. A phase without pixels in the map gets zeros; no window uses them.
    """
    matrix = np.zeros((size // 2 * dilation, min(length, size * dilation)))
    for row, position in enumerate(range(-len(matrix), 0)):
        first = position % dilation
        samples = matrix[row, first::dilation]
        if samples.size:
            step = (first - position) // dilation - 1
            samples[:] = extrapolation_weights(samples.size, step + 1)[step]
    return matrix
