"""RepConv: several linear branches in training, one 3x3 convolution in effect."""

import equinox as eqx
import jax
from jaxtyping import Array

from spatial_prediction.models._convolution import Convolution, Weights, namespace_of, then


class ExpandedConvolution(eqx.Module):
    """A branch of RepConv: 1x1 expansion, 3x3 convolution, 1x1 reduction."""

    expand: Convolution
    spatial: Convolution
    reduce: Convolution

    @classmethod
    def initialised(cls, channels: int, *, key: Array) -> "ExpandedConvolution":
        """Make a branch that expands to twice the channels."""
        keys = jax.random.split(key, 3)
        return cls(
            Convolution.initialised(channels, 2 * channels, 1, key=keys[0]),
            Convolution.initialised(2 * channels, 2 * channels, 3, key=keys[1]),
            Convolution.initialised(2 * channels, channels, 1, key=keys[2]),
        )

    def __call__(self, x: Array) -> Array:
        """Apply the three convolutions one after the other."""
        return self.reduce(self.spatial(self.expand(x)))

    def merged(self) -> Convolution:
        """Return the single 3x3 convolution that does the same."""
        return then(then(self.expand, self.spatial), self.reduce)


class RepConv(eqx.Module):
    """Sum of two expanded convolutions, a 3x3, a 1x1 and the identity, on an already padded map.

    Every branch is linear and padding comes before the branching, so the sum equals one 3x3 convolution,
    at borders too: 1x1 and identity are 3x3 kernels that are 0 except in the centre. The branches change how
    training moves through weight space, not what the layer can express (RVSR, arXiv 2404.16484).
    """

    branch_1: ExpandedConvolution
    branch_2: ExpandedConvolution
    residual_1x1: Convolution
    residual_3x3: Convolution

    @classmethod
    def initialised(cls, channels: int, *, key: Array) -> "RepConv":
        """Make a RepConv that keeps the number of channels."""
        keys = jax.random.split(key, 4)
        return cls(
            ExpandedConvolution.initialised(channels, key=keys[0]),
            ExpandedConvolution.initialised(channels, key=keys[1]),
            Convolution.initialised(channels, channels, 1, key=keys[2]),
            Convolution.initialised(channels, channels, 3, key=keys[3]),
        )

    def __call__(self, padded: Array) -> Array:
        """Apply every branch to ``padded`` (batch, height + 2, width + 2, channels)."""
        centre = padded[:, 1:-1, 1:-1]
        branches = self.branch_1(padded) + self.branch_2(padded)
        return branches + self.residual_3x3(padded) + self.residual_1x1(centre) + centre

    def pointwise(self) -> Weights:
        """Return the sum (inputs, outputs) of the 1x1 and identity kernels, which see only one pixel."""
        kernel = self.residual_1x1.kernel[..., 0, 0, :, :]
        return kernel + namespace_of(kernel).eye(kernel.shape[-1], dtype=kernel.dtype)

    def merged(self) -> Convolution:
        """Return the single 3x3 convolution that does the same."""
        spatial = [self.branch_1.merged(), self.branch_2.merged(), self.residual_3x3]
        kernel = spatial[0].kernel + spatial[1].kernel + spatial[2].kernel
        centre = self.pointwise()[..., None, None, :, :]
        around = [(0, 0)] * (centre.ndim - 4) + [(1, 1), (1, 1), (0, 0), (0, 0)]
        kernel = kernel + namespace_of(centre).pad(centre, around)
        return Convolution(kernel, sum((branch.bias for branch in spatial), self.residual_1x1.bias))
