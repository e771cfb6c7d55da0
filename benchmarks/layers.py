"""Where the time of a network goes: CPU time of each layer and of its gradients, for each pixel of a map.

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

from spatial_prediction.convolution import convolve
from spatial_prediction.models import bundled_network


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


def main() -> None:
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
    border = network.borders[1]

    def zeros(x: Any, kernel: Any, bias: Any) -> Any:
        return convolve(x, kernel, bias, padding=1)

    def predicted(x: Any, layer: Any) -> Any:
        return border.convolve(x, layer)

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
        "convolution, lp2x3": (predicted, (x, block.repconv)),
        "  all gradients": (pulled_back(predicted), (x, block.repconv, weights)),
        "feed-forward": (fed_forward, (block.ffn, x)),
        "  all gradients ": (pulled_back(fed_forward), (block.ffn, x, weights)),
        "network to phases": (lambda network, x: network.phases_with_features(x)[0], (network, image)),
        "network to pixels": (lambda network, x: network.apply(x), (network, image)),
    }
    pixels = options.batch * options.size**2
    print(f"nanoseconds for each of {options.batch} x {options.size} x {options.size} pixels")
    for name, (function, arguments) in layers.items():
        clock, cpu = least(function, arguments, options.repeats)
        print(
            f"{name:22}{1e9 * clock / pixels:8.1f} by the clock {1e9 * cpu / pixels:8.1f} of the CPU",
            flush=True,
        )


if __name__ == "__main__":
    main()
