"""Convolutions of the networks' channels-last hot path."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from spatial_prediction.convolution import convolve

if TYPE_CHECKING:  # whoever applies a layer has arrays of JAX
    Weights = Array
else:
    Weights = Array | np.ndarray
"""Of layers: arrays of JAX, or of NumPy, whose branches are merged without a compiler."""


class Convolution(eqx.Module):
    """A valid (unpadded) convolution of channels-last batches.

    Attributes:
        kernel: shape (rows, columns, input channels, output channels).
        bias: shape (output channels,).
    """

    kernel: Float[Weights, "*stack rows columns inputs outputs"]
    bias: Float[Weights, "*stack outputs"]

    @classmethod
    def initialised(cls, inputs: int, outputs: int, size: int, *, key: Array) -> "Convolution":
        """Draw kernel and bias uniformly from +-1/sqrt(fan-in), the usual initial values."""
        kernel_key, bias_key = jax.random.split(key)
        bound = (inputs * size * size) ** -0.5
        kernel = jax.random.uniform(kernel_key, (size, size, inputs, outputs), minval=-bound, maxval=bound)
        bias = jax.random.uniform(bias_key, (outputs,), minval=-bound, maxval=bound)
        return cls(kernel, bias)

    def __call__(
        self, x: Float[Array, "batch height width inputs"]
    ) -> Float[Array, "batch out_height out_width outputs"]:
        """Convolve; the map shrinks by the kernel's size minus one."""
        return convolve(x, self.kernel, self.bias)


def then(first: Convolution, second: Convolution) -> Convolution:
    """Compose two convolutions, one of them 1x1, into one: ``then(f, g)(x) = g(f(x))``.

    Both are linear and the map between them is not padded, so this is exact. A 1x1 convolution is a
    matrix on the channels, which multiplies the other kernel on its input or output side.
    """
    if second.kernel.shape[-4:-2] == (1, 1):
        matrix = second.kernel[..., 0, 0, :, :]
        kernel = namespace_of(matrix).einsum("...hwim,...mo->...hwio", first.kernel, matrix)
        return Convolution(kernel, _applied(first.bias, matrix) + second.bias)
    matrix = first.kernel[..., 0, 0, :, :]
    kernel = namespace_of(matrix).einsum("...im,...hwmo->...hwio", matrix, second.kernel)
    return Convolution(kernel, _applied(first.bias, second.kernel.sum((-4, -3))) + second.bias)


def namespace_of(weights: Weights) -> Any:
    """Return ``numpy`` or ``jax.numpy``, whichever's array this is."""
    return weights.__array_namespace__()


def _applied(bias: Weights, matrix: Weights) -> Weights:
    return namespace_of(matrix).einsum("...m,...mo->...o", bias, matrix)
