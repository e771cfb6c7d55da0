"""RWKV blocks (version 4), over a whole sequence or one step in time."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction.compression.linerwkv._layers import Affine, Matrix, layer_norm
from spatial_prediction.compression.linerwkv._wkv import Average, empty, wkv, wkv_step


class BlockState(NamedTuple):
    """What a block remembers of the past, each (..., features)."""

    channel_input: Array
    time_input: Array
    average: Average


class TimeMix(eqx.Module):
    """Mixing over time: a weighted average of values, gated."""

    time_decay: Array
    time_first: Array
    time_mix_k: Array
    time_mix_v: Array
    time_mix_r: Array
    key: Matrix
    value: Matrix
    receptance: Matrix
    output: Matrix

    def projected(self, x: Array, before: Array) -> tuple[Array, Array, Array]:
        """Compute the log weights, the values and the gate, from this step's input and the one before."""
        k = self.key(_mixed(self.time_mix_k, x, before))
        v = self.value(_mixed(self.time_mix_v, x, before))
        return k, v, jax.nn.sigmoid(self.receptance(_mixed(self.time_mix_r, x, before)))

    @property
    def decay(self) -> Array:
        """Change of all log weights at each step."""
        return -jnp.exp(self.time_decay)


class ChannelMix(eqx.Module):
    """Mixing over features: a gated layer with squared rectifier."""

    time_mix_k: Array
    time_mix_r: Array
    key: Matrix
    receptance: Matrix
    value: Matrix

    def __call__(self, x: Array, before: Array) -> Array:
        """Apply to this step's input and the one before."""
        k = jax.nn.relu(self.key(_mixed(self.time_mix_k, x, before))) ** 2
        return jax.nn.sigmoid(self.receptance(_mixed(self.time_mix_r, x, before))) * self.value(k)


class Block(eqx.Module):
    """Time mixing, then channel mixing, each with a skip; only the first block has ``ln0``."""

    ln0: Affine | None
    ln1: Affine
    ln2: Affine
    att: TimeMix
    ffn: ChannelMix

    def __call__(self, x: Float[Array, "time *batch features"]) -> Float[Array, "time *batch features"]:
        """Apply to whole sequences."""
        x = x if self.ln0 is None else layer_norm(self.ln0, x)
        u = layer_norm(self.ln1, x)
        k, v, gate = self.att.projected(u, _delayed(u))
        x = x + self.att.output(gate * wkv(k, v, self.att.decay, self.att.time_first))
        u = layer_norm(self.ln2, x)
        return x + self.ffn(u, _delayed(u))

    def step(
        self, state: BlockState, x: Float[Array, "*batch features"]
    ) -> tuple[BlockState, Float[Array, "*batch features"]]:
        """Take one step in time."""
        x = x if self.ln0 is None else layer_norm(self.ln0, x)
        time_input = layer_norm(self.ln1, x)
        k, v, gate = self.att.projected(time_input, state.time_input)
        average, mean = wkv_step(state.average, k, v, self.att.decay, self.att.time_first)
        x = x + self.att.output(gate * mean)
        channel_input = layer_norm(self.ln2, x)
        x = x + self.ffn(channel_input, state.channel_input)
        return BlockState(channel_input, time_input, average), x


def initial_state(blocks: tuple[Block, ...], x: Float[Array, "*batch features"]) -> tuple[BlockState, ...]:
    """State of each block before the first step, for inputs like ``x``."""
    nothing = jnp.zeros_like(x)
    return tuple(BlockState(nothing, nothing, empty(x)) for _ in blocks)


def stack(blocks: tuple[Block, ...], x: Array) -> Array:
    """Apply blocks one after the other to whole sequences (time, ..., features)."""
    for block in blocks:
        x = block(x)
    return x


def step(
    blocks: tuple[Block, ...], states: tuple[BlockState, ...], x: Array
) -> tuple[tuple[BlockState, ...], Array]:
    """Take one step in time with blocks one after the other."""
    after = []
    for block, state in zip(blocks, states, strict=True):
        new, x = block.step(state, x)
        after.append(new)
    return tuple(after), x


def _mixed(mix: Array, x: Array, before: Array) -> Array:
    return before + mix[0, 0] * (x - before)


def _delayed(x: Array) -> Array:
    return jnp.concatenate([jnp.zeros_like(x[:1]), x[:-1]])
