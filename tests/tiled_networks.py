"""Small networks that tiles are tried on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from spatial_prediction.models import RVSR, AbstractBorder, border_from_name, merge_branches
from spatial_prediction.models._convolution import Convolution
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


class TwoConvolutions(eqx.Module):
    """Two 3x3 convolutions whose borders are handled as ``name`` says: halo 2, factor 1."""

    layers: tuple[Convolution, Convolution]
    borders: tuple[AbstractBorder, AbstractBorder]
    upscale_factor: int = eqx.field(static=True, default=1)
    halo: int = eqx.field(static=True, default=2)

    @classmethod
    def named(cls, name):
        def made():
            layers = [Convolution.initialised(2, 2, 3, key=jax.random.key(0)) for _ in range(2)]
            return cls(tuple(layers), tuple(border_from_name(name).for_layer(layer) for layer in layers))

        return with_random_weights(made)

    def __call__(self, x):
        first, last = zip(self.layers, self.borders, strict=True)
        y = jnp.moveaxis(x, 0, -1)[None]
        y = jnp.tanh(first[1].convolve(y, first[0]))
        return jnp.moveaxis(last[1].convolve(y, last[0])[0], -1, 0)


def rvsr(padding, *, blocks=1, upscale_factor=2):
    """RVSR of depth ``blocks + 2``."""

    def made():
        return RVSR.initialised(
            padding=border_from_name(padding),
            upscale_padding=padding_from_name("repl", 1),
            hidden_channels=3,
            blocks=blocks,
            upscale_factor=upscale_factor,
            key=jax.random.key(0),
        )

    return merge_branches(with_random_weights(made))


def with_random_weights(made):
    """The network that ``made`` makes, with weights of NumPy's, which need no compiling."""
    rng = np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(made)
    return jax.tree.map(
        lambda leaf: jnp.asarray(rng.uniform(-0.5, 0.5, leaf.shape).astype(np.float32)), shapes
    )


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
