"""Where the time of a network goes: CPU time of each layer and of its gradients, for each pixel of a map.

Then that of the parts of a training step of the padding study, which are compiled as one program there, and
the least that the sums of products of linear prediction can take, at the speed of a large matrix product.

Each function is compiled by itself and run in turn; the least of several runs is given, because other
programs only add to it. Beside another commit: with PYTHONPATH=CHECKOUT/src.

  python benchmarks/layers.py
  python benchmarks/layers.py --batch 1 --size 260
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from against_pytorch import measured_peak

from spatial_prediction.command import take_job_environment
from spatial_prediction.convolution import convolve
from spatial_prediction.models import RVSR, border_from_name, bundled_network, merge_branches
from spatial_prediction.padding._autocorrelation import AutocorrelationEquations
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR, ModelSettings, tile_size
from spatial_prediction.studies.super_resolution.losses import training_loss
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.task import network as untrained
from spatial_prediction.studies.super_resolution.task import pair
from spatial_prediction.training import optimizer
from spatial_prediction.training_settings import TrainingSettings


def least(function: Callable[..., Any], arguments: tuple[Any, ...], repeats: int) -> tuple[float, float]:
    """Seconds by the clock and of the CPU, each the least of all runs."""
    run = eqx.filter_jit(function)
    jax.block_until_ready(run(*arguments))
    spent = []
    for _ in range(repeats):
        clock, cpu = time.perf_counter(), time.process_time()
        jax.block_until_ready(run(*arguments))
        spent.append((time.perf_counter() - clock, time.process_time() - cpu))
    clocks, cpus = zip(*spent, strict=True)
    return min(clocks), min(cpus)


def pulled_back(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gradients with respect to all arguments but the last, which are the cotangents."""
    return lambda *arguments: jax.vjp(function, *arguments[:-1])[1](arguments[-1])


def training_step(preset: str, tiles: np.ndarray) -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Return the parts of a training step, and the step but for its update; each a function and arguments."""
    parameters, static = eqx.partition(untrained(PRESETS[preset], ModelSettings(), seed=0), eqx.is_array)
    loss, optimise = training_loss(static), optimizer(TrainingSettings())

    def merged(parameters: RVSR) -> RVSR:
        return merge_branches(eqx.combine(parameters, static))

    def updated(parameters: RVSR, state: Any, gradient: RVSR) -> Any:
        changes, state = optimise.update(gradient, state, parameters)
        return optax.apply_updates(parameters, changes), state

    gradient = jax.tree.map(jnp.ones_like, parameters)
    return {
        "loss and gradients": (
            lambda parameters, tiles: jax.value_and_grad(loss, has_aux=True)(parameters, tiles)[1],
            (parameters, tiles),
        ),
        "loss by itself": (lambda parameters, tiles: loss(parameters, tiles)[0], (parameters, tiles)),
        "pairs of images": (lambda tiles: pair(tiles, UPSCALE_FACTOR), (tiles,)),
        "gradients of merging": (
            lambda parameters, of_merged: jax.vjp(merged, parameters)[1](of_merged)[0],
            (parameters, eqx.filter(jax.jit(merged)(parameters), eqx.is_array)),
        ),
        "update by Adam": (updated, (parameters, optimise.init(parameters), gradient)),
    }


def main() -> None:
    take_job_environment()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=48, help="rows and columns of the maps")
    parser.add_argument("--repeats", type=int, default=12)
    options = parser.parse_args()
    network = bundled_network(output_crop=0)
    key, shape = jax.random.key(0), (options.batch, options.size, options.size)
    x, weights = jax.random.normal(key, (*shape, 16)), jax.random.normal(jax.random.key(1), (*shape, 16))
    image = jax.random.normal(key, (*shape, 3)) / 3
    block = network.body[0]
    kernel, bias = block.repconv.kernel, block.repconv.bias
    border, padding = network.borders[1], border_from_name("zero")
    strips = jax.tree.map(jnp.ones_like, jax.jit(border.padding.frame)(x))

    def zeros(x: Any, kernel: Any, bias: Any) -> Any:
        return convolve(x, kernel, bias, padding=1)

    def predicted(x: Any, layer: Any) -> Any:
        return border.convolve(x, layer)

    def of_block(x: Any, layer: Any, part: Any) -> Any:
        return padding.convolve_and_feed_forward(x, layer, part)

    def of_predicted_block(x: Any, layer: Any, part: Any) -> Any:
        return border.convolve_and_feed_forward(x, layer, part)

    def framed(x: Any) -> Any:
        return tuple(border.padding.frame(x))

    def fed_forward(part: Any, x: Any) -> Any:
        return part(x)

    layers = {
        "convolution": (zeros, (x, kernel, bias)),
        "  by its input": (
            lambda x, kernel, bias, g: pulled_back(lambda x: zeros(x, kernel, bias))(x, g),
            (x, kernel, bias, weights),
        ),
        "  by its weights": (
            lambda x, kernel, bias, g: pulled_back(lambda k, b: zeros(x, k, b))(kernel, bias, g),
            (x, kernel, bias, weights),
        ),
        "frame, lp2x3": (framed, (x,)),
        "  its gradient": (pulled_back(framed), (x, tuple(strips))),
        "convolution, lp2x3": (predicted, (x, block.repconv)),
        "  all gradients": (pulled_back(predicted), (x, block.repconv, weights)),
        "feed-forward": (fed_forward, (block.ffn, x)),
        "  all gradients ": (pulled_back(fed_forward), (block.ffn, x, weights)),
        "block": (of_block, (x, block.repconv, block.ffn)),
        "   all gradients": (pulled_back(of_block), (x, block.repconv, block.ffn, weights)),
        "block, lp2x3": (of_predicted_block, (x, block.repconv, block.ffn)),
        "    all gradients": (pulled_back(of_predicted_block), (x, block.repconv, block.ffn, weights)),
        "network to phases": (lambda network, x: network.phases_with_features(x)[0], (network, image)),
        "network to pixels": (lambda network, x: network.apply(x), (network, image)),
    }
    side = tile_size(options.size, UPSCALE_FACTOR)
    tiles = np.random.default_rng(0).integers(0, 5000, (options.batch, side, side, 3), np.int16)
    for preset in ("zero-repl", "lp2x3"):
        layers |= {f"{preset}: {name}": part for name, part in training_step(preset, tiles).items()}
    pixels = options.batch * options.size**2
    print(f"nanoseconds for each of {options.batch} x {options.size} x {options.size} pixels")
    for name, (function, arguments) in layers.items():
        clock, cpu = least(function, arguments, options.repeats)
        print(
            f"{name:32}{1e9 * clock / pixels:8.1f} by the clock {1e9 * cpu / pixels:8.1f} of the CPU",
            flush=True,
        )
    peak = measured_peak()
    for name, (length, width) in {"lp2x3": (2, 3), "lp6x7": (6, 7)}.items():
        lags = len(AutocorrelationEquations(length, width, options.size, options.size).lags)
        least_time = 1e9 * 2 * lags * x.shape[-1] / peak
        print(f"{name}: {lags} lags at the peak, {1e-9 * peak:.0f} GFLOP/s: {least_time:.1f} by the clock")


if __name__ == "__main__":
    main()
