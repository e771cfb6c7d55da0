"""Claim: on a CPU the compiled convolution is faster than XLA's, and close to the peak of the processor.

Times the convolution of padded maps and its gradient with respect to maps and kernel, compiled kernel and XLA
in turn, in one process. The share of the peak is that of a large matrix product in the same run.

  python -m spatial_prediction.native
  python benchmarks/convolution.py
"""

import argparse
import os
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from against_pytorch import measured_peak

from spatial_prediction import native
from spatial_prediction.convolution import _framed, convolve

CASES = [
    # maps, rows and columns, inputs, outputs, size of the kernel
    (16, 48, 16, 16, 3),  # a RepConv of RVSR
    (64, 48, 16, 16, 3),
    (16, 48, 3, 16, 3),  # its head
    (16, 48, 16, 48, 1),  # its projection
    (1, 48, 16, 16, 3),
    (1, 512, 16, 16, 3),
    (16, 48, 1, 1, 3),
    (16, 48, 8, 8, 5),
    (16, 48, 32, 32, 3),
    (16, 32, 64, 64, 3),
    (16, 16, 128, 128, 3),
    (16, 8, 256, 256, 3),
]


def compiled(case: tuple[int, ...], *, by_kernel: bool) -> list[Callable[[], None]]:
    """Forward pass, and forward and backward pass."""
    maps, size, inputs, outputs, kernel_size = case
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(maps, size, size, inputs)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(kernel_size, kernel_size, inputs, outputs)), jnp.float32)

    def convolution(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return convolve(x, kernel, padding=kernel_size // 2)

    def gradient(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, jax.Array]:
        y, pullback = jax.vjp(convolution, x, kernel)
        return pullback(y)

    os.environ[native.DISABLING_VARIABLE] = "1" if by_kernel else "0"
    programs = [jax.jit(each).lower(x, kernel).compile() for each in (convolution, gradient)]
    return [lambda program=program: jax.block_until_ready(program(x, kernel)) for program in programs]


def seconds(run: Callable[[], None], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - started) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cases", type=int, nargs="+", default=range(len(CASES)), help="by number, from 0")
    options = parser.parse_args()
    _framed.LARGEST_KERNEL = 10**9  # to find where it belongs
    print(f"device {jax.devices()[0].device_kind}, compiled kernels: {native.available()}")
    print("times as fast as XLA, median (quartiles), and share of the peak: forward; forward and backward")
    for case in (CASES[number] for number in options.cases):
        maps, size, inputs, outputs, kernel_size = case
        ways = [compiled(case, by_kernel=True), compiled(case, by_kernel=False)]
        operations = 2 * maps * size**2 * inputs * outputs * kernel_size**2
        columns = []
        for which, passes in enumerate((1, 3)):
            runs = [way[which] for way in ways]
            repeats = [max(1, round(0.05 / seconds(run, 3))) for run in runs]
            times = np.array([list(map(seconds, runs, repeats)) for _ in range(options.rounds)])
            low, ratio, high = np.percentile(times[:, 1] / times[:, 0], [25, 50, 75])
            share = passes * operations / np.median(times[:, 0]) / measured_peak()
            columns.append(f"{ratio:5.2f} ({low:.2f} to {high:.2f}) {share:4.0%}")
        maps_and_kernel = f"{maps} x {size} x {size} x {inputs}, {kernel_size} x {kernel_size} -> {outputs}"
        print(f"  {maps_and_kernel:30} {';  '.join(columns)}", flush=True)


if __name__ == "__main__":
    main()
