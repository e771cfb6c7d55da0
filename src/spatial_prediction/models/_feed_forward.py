"""The feed-forward part of a network's blocks."""

import equinox as eqx
import jax
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.convolution import convolve
from spatial_prediction.models._convolution import Convolution

Weights = tuple[Array, Array, Array, Array]


class FeedForward(eqx.Module):
    """Pixelwise expansion to twice the channels, GELU, reduction, and a skip connection."""

    expand: Convolution
    reduce: Convolution

    @classmethod
    def initialised(cls, channels: int, *, key: Array) -> "FeedForward":
        """Make a feed-forward part that keeps the number of channels."""
        expand_key, reduce_key = jax.random.split(key)
        return cls(
            Convolution.initialised(channels, 2 * channels, 1, key=expand_key),
            Convolution.initialised(2 * channels, channels, 1, key=reduce_key),
        )

    def __call__(self, x: Float[Array, "batch height width channels"]) -> Array:
        """Apply to a channels-last batch."""
        arguments = (x, self.expand.kernel, self.expand.bias, self.reduce.kernel, self.reduce.bias)
        if not (native.available(x) and native.fits("feed_forward", arguments, native.like(x))):
            return _by_xla(*arguments)
        axes = native.BatchAxes((x.ndim - 3, 0, 0, 0, 0), x.ndim - 3)
        return native.differentiable(_by_xla, _forward, _backward, batch=axes)(*arguments)


def _by_xla(x: Array, expand: Array, expand_bias: Array, reduce: Array, reduce_bias: Array) -> Array:
    hidden = jax.nn.gelu(convolve(x, expand, expand_bias))
    return x + convolve(hidden, reduce, reduce_bias)


def _forward(x: Array, *weights: Array) -> Array:
    return native.kernel("feed_forward", native.like(x))(x, *weights)[0]


def _backward(arguments: tuple[Array, ...], cotangent: Array) -> tuple[Array, ...]:
    x, expand, expand_bias, reduce, _ = arguments
    gradient = native.kernel("feed_forward_gradient", native.like(*arguments))
    return tuple(gradient(cotangent, x, expand, expand_bias, reduce))
