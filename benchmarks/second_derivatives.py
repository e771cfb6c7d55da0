"""Claim: a gradient penalty through lp2x3 compiles within a few times the CPU time of replication.

Compiles the gradient of a network's squared input gradient with respect to its weights, a chain of padded
convolutions, once for each padding, and prints CPU seconds of tracing and compiling and their ratio. The
first program of a process pays for much that later ones find done, so one for another network comes before.

  python benchmarks/second_derivatives.py --layers 11
  SPATIAL_PREDICTION_NATIVE=0 python benchmarks/second_derivatives.py
"""

import argparse
import time

import equinox as eqx
import jax
import jax.numpy as jnp

from spatial_prediction import native
from spatial_prediction.convolution import PaddedConv2d


def seconds_to_compile(padding: str, layers: int, *, size: int = 16) -> float:
    """CPU seconds from a function to its program."""
    keys = jax.random.split(jax.random.key(0), layers)
    network = [PaddedConv2d(4, 4, 3, padding_mode=padding, key=key) for key in keys]
    x = jnp.ones((4, size, size))

    def loss(network: list[PaddedConv2d], x: jax.Array) -> jax.Array:
        for layer in network:
            x = jax.nn.gelu(layer(x))
        return jnp.sum(x**2)

    def penalty(network: list[PaddedConv2d], x: jax.Array) -> jax.Array:
        return jnp.sum(jax.grad(loss, 1)(network, x) ** 2)

    started = time.process_time()
    eqx.filter_jit(eqx.filter_grad(penalty)).lower(network, x).compile()
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--paddings", nargs="+", default=["lp2x3"])
    options = parser.parse_args()
    print(f"compiled kernels: {native.available()}")
    seconds_to_compile("repl", 1, size=15)
    replication = seconds_to_compile("repl", options.layers)
    print(f"repl, {options.layers} layers: {replication:.2f} CPU seconds")
    for padding in options.paddings:
        seconds = seconds_to_compile(padding, options.layers)
        ratio = seconds / replication
        print(f"{padding}, {options.layers} layers: {seconds:.2f} CPU seconds, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
