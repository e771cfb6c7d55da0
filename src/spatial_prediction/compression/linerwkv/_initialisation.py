"""Random weights of RWKV blocks, spread as in the publication."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.compression.linerwkv._blocks import Block, ChannelMix, TimeMix
from spatial_prediction.compression.linerwkv._layers import Affine, Matrix


def uniform(shape: tuple[int, ...], fan_in: int, *, key: Array) -> Array:
    """Draw weights between plus and minus one over the root of the number of inputs."""
    bound = 1 / math.sqrt(fan_in)
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)


def initialised_blocks(count: int, width: int, *, key: Array) -> tuple[Block, ...]:
    """Make a stack of blocks; the memory of later ones is longer."""
    keys = jax.random.split(key, count)
    return tuple(_block(index, count, width, key=keys[index]) for index in range(count))


def _block(index: int, count: int, width: int, *, key: Array) -> Block:
    keys = iter(jax.random.split(key, 7))
    depth = index / max(count - 1, 1)
    fading = 1 - index / count
    position = jnp.arange(width, dtype=jnp.float32)
    channel = position / width
    mix = (channel**fading)[None, None]

    def matrix() -> Matrix:
        return Matrix(uniform((width, width), width, key=next(keys)))

    def norm() -> Affine:
        return Affine(jnp.ones(width), jnp.zeros(width))

    time_mix = TimeMix(
        time_decay=-5 + 8 * (position / (width - 1)) ** (0.7 + 1.3 * depth),
        time_first=math.log(0.3) + 0.5 * ((position + 1) % 3 - 1),
        time_mix_k=mix,
        time_mix_v=mix + 0.3 * depth,
        time_mix_r=(channel ** (fading / 2))[None, None],
        key=matrix(),
        value=matrix(),
        receptance=matrix(),
        output=matrix(),
    )
    channel_mix = ChannelMix(
        time_mix_k=mix, time_mix_r=mix, key=matrix(), receptance=matrix(), value=matrix()
    )
    return Block(norm() if index == 0 else None, norm(), norm(), time_mix, channel_mix)
