"""A plain implementation of the published training, which ``training_step.py`` compares with.

Unmerged branches; one example (channels, height, width) at a time under ``jax.vmap``; a padded map before
every convolution; general resampling; crops cut on the host from an array of floats; one wait per step.
Paddings are the library's in their XLA form, which are faster than the published code.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax

from spatial_prediction.padding import AbstractPadding, padding_from_name
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR as FACTOR
from spatial_prediction.studies.super_resolution.config import Preset

Weights = Mapping[str, jax.Array]


def convolution(x: jax.Array, weights: Weights, name: str) -> jax.Array:
    y = jax.lax.conv_general_dilated(
        x[None], weights[f"{name}.weight"], (1, 1), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW")
    )[0]
    return y + weights[f"{name}.bias"]


def repconv(x: jax.Array, weights: Weights, name: str) -> jax.Array:
    """Sum of all branches, on a padded map."""
    centre = x[:, 1:-1, 1:-1]
    y = convolution(x, weights, f"{name}.residual_3x3")
    y = y + convolution(centre, weights, f"{name}.residual_1x1") + centre
    for branch in ("branch_1", "branch_2"):
        expanded = convolution(x, weights, f"{name}.{branch}.expand")
        spatial = convolution(expanded, weights, f"{name}.{branch}.spatial")
        y = y + convolution(spatial, weights, f"{name}.{branch}.reduce")
    return y


def predicted(
    x: jax.Array, weights: Weights, padding: AbstractPadding, upscale_padding: AbstractPadding
) -> jax.Array:
    """Upscale one example (3, height, width)."""
    y = head = convolution(padding(x), weights, "head")
    for index in range(len(weights["body.ffn.expand.bias"])):
        block = {name: array[index] for name, array in weights.items() if name.startswith("body.")}
        y = repconv(padding(y), block, "body.repconv")
        hidden = jax.nn.gelu(convolution(y, block, "body.ffn.expand"))
        y = y + convolution(hidden, block, "body.ffn.reduce")
    y = repconv(padding(y + head), weights, "tail.repconv")
    y = convolution(y, weights, "tail.project")
    channels, height, width = y.shape
    y = y.reshape(channels // FACTOR**2, FACTOR, FACTOR, height, width).transpose(0, 3, 1, 4, 2)
    padded = upscale_padding(x)
    finer = (3, FACTOR * (height + 2), FACTOR * (width + 2))
    base = jax.image.resize(padded, finer, "bilinear")[:, FACTOR:-FACTOR, FACTOR:-FACTOR]
    return y.reshape(3, FACTOR * height, FACTOR * width) + base


def make_step(preset: Preset, optimise: optax.GradientTransformation) -> Callable:
    """Compile ``(weights, optimiser state, tiles) -> (weights, optimiser state, loss)``."""
    padding, upscale_padding = (padding_from_name(n, 1) for n in (preset.padding, preset.upscale_padding))

    def error(weights: Weights, tile: jax.Array) -> jax.Array:
        coarse = (3, tile.shape[1] // FACTOR, tile.shape[2] // FACTOR)
        low_res = jax.image.resize(tile, coarse, "bilinear", antialias=True)[:, 1:-1, 1:-1]
        high_res = tile[:, FACTOR:-FACTOR, FACTOR:-FACTOR]
        return jnp.mean((predicted(low_res, weights, padding, upscale_padding) - high_res) ** 2)

    def loss(weights: Weights, tiles: jax.Array) -> jax.Array:
        return jnp.mean(jax.vmap(error, in_axes=(None, 0))(weights, tiles))

    @jax.jit
    def step(weights: Weights, state: optax.OptState, tiles: jax.Array) -> tuple:
        value, gradient = jax.value_and_grad(loss)(weights, tiles)
        changes, state = optimise.update(gradient, state, weights)
        return optax.apply_updates(weights, changes), state, value

    return step


def crops(scenes: np.ndarray, draw: np.ndarray, size: int) -> np.ndarray:
    """Cut tiles (batch, 3, size, size) from scenes (scenes, 3, rows, columns) of floats."""
    return np.stack([scenes[s, :, y : y + size, x : x + size] for s, y, x in draw])
