"""Kernels that oscillate."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spatial_prediction.gaussian_process._precision import AnyArray, real
from spatial_prediction.gaussian_process.kernels._base import AbstractKernel, positive


class Periodic(AbstractKernel):
    """exp(-(2 / l) sum_d sin^2(pi tau_d / T)), GPyTorch's form: l is not squared.

    Other libraries define the same family otherwise: tinygp's gamma is 2 / l, GPJax's squared lengthscale
    l / 4.

    Attributes:
        raw_lengthscale: shape (); l, without unit, is its softplus.
        raw_period: shape (); T is its softplus, in units of the coordinates, all of which share it.
    """

    raw_lengthscale: Float[AnyArray, ""] = eqx.field(converter=real, default=0.0)
    raw_period: Float[AnyArray, ""] = eqx.field(converter=real, default=0.0)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        angles = np.pi / positive(self.raw_period)
        total = jnp.zeros((x.shape[0], y.shape[0]), jnp.float64)
        for axis in range(x.shape[1]):
            total = total + jnp.sin(angles * (x[:, axis, None] - y[None, :, axis])) ** 2
        return jnp.exp(-2.0 * total / positive(self.raw_lengthscale))


class SpectralMixture(AbstractKernel):
    """prod_d sum_q w_q exp(-2 pi^2 tau_d^2 v_qd^2) cos(2 pi tau_d m_qd), as in GPyTorch 1.15.

    The textbook's kernel (Wilson and Adams 2013) is a sum of products; they differ for D > 1.

    Attributes:
        raw_weights: shape (Q,); w is its softplus.
        raw_frequencies: shape (Q, D); m is its softplus, in cycles per unit of the coordinates.
        raw_scales: shape (Q, D); v is its softplus, in the same unit.
    """

    raw_weights: Float[AnyArray, " Q"] = eqx.field(converter=real)
    raw_frequencies: Float[AnyArray, "Q D"] = eqx.field(converter=real)
    raw_scales: Float[AnyArray, "Q D"] = eqx.field(converter=real)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        weights, frequencies, scales = map(
            positive, (self.raw_weights, self.raw_frequencies, self.raw_scales)
        )
        product = jnp.ones((x.shape[0], y.shape[0]), jnp.float64)
        for axis in range(x.shape[1]):
            lag = x[:, axis, None] - y[None, :, axis]
            mixture = jnp.zeros_like(product)
            for weight, frequency, scale in zip(weights, frequencies[:, axis], scales[:, axis], strict=True):
                envelope = jnp.exp(-2.0 * (np.pi * scale * lag) ** 2)
                mixture = mixture + weight * envelope * jnp.cos(2.0 * np.pi * frequency * lag)
            product = product * mixture
        return product
