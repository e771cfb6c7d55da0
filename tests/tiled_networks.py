"""Small networks that tiles are tried on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from spatial_prediction.models import RVSR, border_from_name
from spatial_prediction.padding import padding_from_name

KERNEL = np.array([[0.5, -1, 0.25], [1, 2, -0.5], [0.125, 0.75, -0.25]])


def blur(batch, mode="nearest"):
    """Two channels of a 3x3 convolution each, by SciPy, upscaled by repetition: halo 1, factor 2."""
    y = ndimage.convolve(batch, KERNEL[None, None].astype(batch.dtype), mode=mode)
    return y.repeat(2, axis=-2).repeat(2, axis=-1)


def recorded(network):
    """The network, and a list of the batches it was given."""
    batches = []

    def predict(batch):
        batches.append(batch)
        return network(batch)

    return predict, batches


def rvsr(padding, *, blocks=1, upscale_factor=2):
    """RVSR of depth ``blocks + 2`` with random weights, large enough that borders matter."""

    def made():
        return RVSR.initialised(
            padding=border_from_name(padding),
            upscale_padding=padding_from_name("repl", 1),
            hidden_channels=3,
            blocks=blocks,
            upscale_factor=upscale_factor,
            key=jax.random.key(0),
        )

    rng = np.random.default_rng(0)

    def weights(path, leaf):
        if "RunningPrediction" in str(path) or "coefficients" in jax.tree_util.keystr(path):
            return leaf
        return jnp.asarray(rng.uniform(-0.3, 0.3, leaf.shape).astype(np.float32))

    return jax.tree_util.tree_map_with_path(weights, made())


class Chain(eqx.Module):
    """Layers one after the other."""

    layers: list

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def smooth_image(shape, seed=0, channels=3):
    """A smooth random field with values of the order of one."""
    noise = np.random.default_rng(seed).standard_normal((channels, *shape))
    return (2 * ndimage.gaussian_filter(noise, (0, 1, 1))).astype(np.float32)
