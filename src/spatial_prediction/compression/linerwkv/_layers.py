"""Layers of LineRWKV whose fields are named like the arrays of the published weights."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

EPSILON = 1e-5
"""Added to the variance in every layer norm."""


class Affine(eqx.Module):
    """Weight and bias of a layer norm or a convolution."""

    weight: Array
    bias: Array


class Matrix(eqx.Module):
    """Weight (outputs, inputs) of a linear map without bias."""

    weight: Array

    def __call__(self, x: Float[Array, "... inputs"]) -> Float[Array, "... outputs"]:
        """Apply along the last axis."""
        return x @ self.weight.T


class Head(eqx.Module):
    """One 1x1 convolution from the features to a sample."""

    conv_out: Affine

    def __call__(self, x: Float[Array, "... features"]) -> Float[Array, "..."]:
        """Predict one number from each vector of features."""
        return x @ self.conv_out.weight[0, :, 0] + self.conv_out.bias[0]


class Decoder(eqx.Module):
    """Layers from the features to the prediction of a sample: 1x1 convolution, layer norm, GELU each."""

    convs: tuple[Affine, ...]
    norms: tuple[Affine, ...]
    conv_out: Affine

    def __call__(self, x: Float[Array, "... features"]) -> Float[Array, "..."]:
        """Predict one number from each vector of features."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = gelu(layer_norm(norm, x @ conv.weight[:, :, 0].T + conv.bias))
        return Head(self.conv_out)(x)


class LineEncoder(eqx.Module):
    """Convolutions of three taps along the columns, each with layer norm over the features and GELU."""

    conv_in: Affine
    norm_in: Affine
    convs: tuple[Affine, ...]
    norms: tuple[Affine, ...]

    def __call__(self, samples: Float[Array, "*lines columns"]) -> Float[Array, "*lines columns features"]:
        """Encode lines, each by itself; beyond their ends stand zeros."""
        x = gelu(layer_norm(self.norm_in, _along_columns(self.conv_in, samples[..., None])))
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = gelu(layer_norm(norm, _along_columns(conv, x)))
        return x


def layer_norm(norm: Affine, x: Float[Array, "*batch features"]) -> Float[Array, "*batch features"]:
    """Normalise over the features with the biased variance, then scale and shift."""
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + EPSILON) * norm.weight + norm.bias


def gelu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return x times the normal distribution function at x, exactly rather than by the usual tanh."""
    return jax.nn.gelu(x, approximate=False)


def _along_columns(conv: Affine, x: Array) -> Array:
    """Correlate (..., columns, inputs) with a weight (outputs, inputs, 3), zeros beyond both ends."""
    padded = jnp.pad(x, [(0, 0)] * (x.ndim - 2) + [(1, 1), (0, 0)])
    columns = x.shape[-2]
    taps = [padded[..., tap : tap + columns, :] for tap in range(3)]
    neighbours = jnp.concatenate(taps, -1)  # tap-major, hence the weight's order below
    weight = conv.weight.transpose(2, 1, 0).reshape(-1, conv.weight.shape[0])
    return neighbours @ weight + conv.bias
