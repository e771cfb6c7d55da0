"""Claim: a gradient penalty through lp2x3 compiles within three times the CPU time of replication.

Compiles the gradient of a network's squared input gradient with respect to its weights, once for each
padding, and prints CPU seconds of tracing and compiling and their ratio. The network is a chain of padded
convolutions, or a U-Net of eleven, two levels down by strides and up by repetition. The first program of a
process does work that later ones need not repeat, so another network is compiled first.

  python benchmarks/second_derivatives.py --layers 11
  python benchmarks/second_derivatives.py --unet
  SPATIAL_PREDICTION_NATIVE=0 python benchmarks/second_derivatives.py
"""

import argparse
import time
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp

from spatial_prediction import native
from spatial_prediction.convolution import PaddedConv2d

Network = Callable[[jax.Array], jax.Array]


class Chain(eqx.Module):
    """Padded convolutions, one after the other."""

    layers: list[PaddedConv2d]

    def __init__(self, padding: str, layers: int) -> None:
        keys = jax.random.split(jax.random.key(0), layers)
        self.layers = [PaddedConv2d(4, 4, 3, padding_mode=padding, key=key) for key in keys]

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map (4, height, width) to the same shape."""
        for layer in self.layers:
            x = jax.nn.gelu(layer(x))
        return x


class UNet(eqx.Module):
    """Eleven padded convolutions on three levels."""

    down: list[PaddedConv2d]
    bottom: list[PaddedConv2d]
    up: list[PaddedConv2d]
    out: PaddedConv2d

    def __init__(self, padding: str) -> None:
        keys = iter(jax.random.split(jax.random.key(0), 11))

        def layer(inputs: int, outputs: int, stride: int = 1) -> PaddedConv2d:
            return PaddedConv2d(inputs, outputs, 3, stride, padding=1, padding_mode=padding, key=next(keys))

        self.down = [layer(4, 8), layer(8, 8, 2), layer(8, 16), layer(16, 16, 2)]
        self.bottom = [layer(16, 32), layer(32, 16)]
        self.up = [layer(16, 16), layer(32, 8), layer(8, 8), layer(16, 4)]
        self.out = layer(4, 4)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map (4, height, width) to the same shape; sizes are multiples of 4."""
        skipped = []
        for layer, stride in zip(self.down[::2], self.down[1::2], strict=True):
            skipped.append(jax.nn.gelu(layer(x)))
            x = jax.nn.gelu(stride(skipped[-1]))
        for layer in self.bottom:
            x = jax.nn.gelu(layer(x))
        for layer, joining in zip(self.up[::2], self.up[1::2], strict=True):
            x = jax.nn.gelu(layer(jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)))
            x = jax.nn.gelu(joining(jnp.concatenate([x, skipped.pop()])))
        return self.out(x)


def seconds_to_compile(network: Network, *, size: int = 16) -> float:
    """CPU seconds of tracing and compiling a function."""
    x = jnp.ones((4, size, size))

    def penalty(network: Network, x: jax.Array) -> jax.Array:
        return jnp.sum(jax.grad(lambda x: jnp.sum(network(x) ** 2))(x) ** 2)

    started = time.process_time()
    eqx.filter_jit(eqx.filter_grad(penalty)).lower(network, x).compile()
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=1, help="of the chain")
    parser.add_argument("--unet", action="store_true", help="in place of the chain")
    parser.add_argument("--paddings", nargs="+", default=["lp2x3"])
    options = parser.parse_args()
    print(f"compiled kernels: {native.available()}")

    def seconds(padding: str) -> float:
        return seconds_to_compile(UNet(padding) if options.unet else Chain(padding, options.layers))

    what = "U-Net" if options.unet else f"layers: {options.layers}"
    seconds_to_compile(Chain("repl", 1), size=15)
    replication = seconds("repl")
    print(f"repl, {what}: {replication:.2f} CPU seconds")
    for padding in options.paddings:
        own = seconds(padding)
        print(f"{padding}, {what}: {own:.2f} CPU seconds, ratio {own / replication:.2f}")


if __name__ == "__main__":
    main()
