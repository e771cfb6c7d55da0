"""Claim: checking every call of a kernel costs less than 1 % of a layer's time, even for one tile of 48 x 48.

Measures, in nanoseconds, the checks inside the kernel that has most of them (only C++, best of several
loops), and the checks in Python, which run only while a program is traced. Then a small layer, three kernels
in one program, is run with kernels that check and with kernels that do not (``-DUNCHECKED``), alternating in
one process: the mean ratio of the pairs, with its 95 % interval.

  python -m spatial_prediction.native
  python benchmarks/kernel_gate.py
"""

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from spatial_prediction import native
from spatial_prediction.convolution import convolve
from spatial_prediction.native import _gate
from spatial_prediction.padding import padding_from_name
from spatial_prediction.statistics.intervals import bootstrap_interval

KERNELS = ("first_order", "predicted_frame", "convolution")  # of the layer, forward
CHANNELS, OUTPUTS = 3, 4  # the head of a network, given one tile

LOOP = """
#include "predicted_frame.cc"
#include <chrono>
#include <cstdio>

int main() {
  const int64_t x[] = {64, 48, 48, 16}, mean[] = {64, 16}, coefficients[] = {64, 3, 2, 3, 16};
  const int64_t rows[] = {64, 1, 50, 16}, columns[] = {64, 48, 1, 16};
  const Dimensions c(coefficients, 5), r(rows, 4), s(columns, 4);
  double best = 1e9;
  int64_t failures = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    constexpr int64_t count = 20000;
    const auto begun = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < count; ++i) {
      checks::Call call("predicted_frame");
      check(call, Dimensions(x, 4), Dimensions(mean, 2), {c, c, c, c}, {r, r, s, s});
      failures += call.failed();
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
    best = std::min(best, seconds.count() / count * 1e9);
  }
  std::printf("%.1f %ld\\n", best, static_cast<long>(failures));
}
"""


def nanoseconds_in_kernel() -> float:
    """Nanoseconds of the checks in ``predicted_frame``, of ten arrays and four neighbourhoods."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "loop.cc"), Path(folder, "loop")
        source.write_text(LOOP, encoding="utf-8")
        command = [native.compiler() or "c++", *native.FLAGS, "-w", "-DONE_VERSION", f"-I{native.FOLDER}"]
        command += ["-isystem", jax.ffi.include_dir(), str(source), "-o", str(program)]
        subprocess.run(command, check=True)
        found = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    nanoseconds, failures = found.split()
    if int(failures):
        raise RuntimeError("the gate refuses a right call")
    return float(nanoseconds)


def microseconds_in_python() -> float:
    """Nanoseconds of the checks of ``predicted_frame`` while a program is traced."""

    def arrays(*shapes: tuple[int, ...]) -> list[jax.ShapeDtypeStruct]:
        return [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]

    arguments = arrays((64, 48, 48, 16), (64, 16), *[(64, 3, 2, 3, 16)] * 4)
    results = arrays(*[(64, 1, 50, 16)] * 2, *[(64, 48, 1, 16)] * 2)
    timer = timeit.Timer(lambda: _gate.check("predicted_frame", arguments, results, {}))
    return min(timer.repeat(10, 50)) / 50 * 1e6


def unchecked_library() -> Path:
    """Compile the kernels without their checks."""
    environment = os.environ | {native.FLAGS_VARIABLE: "-DUNCHECKED"}
    code = "from spatial_prediction import native; print(native.build())"
    return Path(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
        ).stdout.strip()
    )


def compiled_layer(library: Path, name: str, shape: tuple[int, ...]) -> Callable[[], None]:
    """The layer with the kernels of a library, registered under separate names."""
    kernels = ctypes.CDLL(str(library))
    for kernel in KERNELS:
        symbol = getattr(kernels, f"{kernel}_float32")
        jax.ffi.register_ffi_target(f"{kernel}_float32_{name}", jax.ffi.pycapsule(symbol), platform="cpu")
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=shape), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(3, 3, CHANNELS, OUTPUTS)), jnp.float32)
    padding = padding_from_name("lp1x1cs", 1)
    call = jax.ffi.ffi_call
    jax.ffi.ffi_call = lambda target, *rest, **options: call(f"{target}_{name}", *rest, **options)
    try:
        program = jax.jit(lambda x, kernel: convolve(x, kernel, padding=padding)).lower(x, kernel).compile()
    finally:
        jax.ffi.ffi_call = call
    return lambda: jax.block_until_ready(program(x, kernel))


def seconds(run: Callable[[], None], repeats: int) -> float:
    """CPU time of this process per call, which does not include other programs."""
    started = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - started) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=200, help="runs of the layer in a turn")
    parser.add_argument("--tile", type=int, default=48, metavar="PIXELS", help="height and width of the tile")
    options = parser.parse_args()

    shape = (1, options.tile, options.tile, CHANNELS)
    layers = [
        compiled_layer(path, name, shape)
        for name, path in (("checked", native.library_path()), ("unchecked", unchecked_library()))
    ]
    for layer in layers:
        seconds(layer, options.repeats)
    turns = np.empty((options.rounds, 2))
    for number in range(options.rounds):
        order = [0, 1] if number % 2 else [1, 0]
        for which in order:
            turns[number, which] = seconds(layers[which], options.repeats)
    whole = np.median(turns[:, 0]) * 1e9
    ratio = bootstrap_interval(turns[:, 0] / turns[:, 1], rng_seed=0)

    gate = nanoseconds_in_kernel()
    print(f"device {jax.devices()[0].device_kind}")
    print(f"layer {shape} -> {OUTPUTS} outputs, lp1x1cs: {whole / 1e3:.1f} us")
    print(f"gate in predicted_frame: {gate:.0f} ns a call")
    print(f"three kernels at most: {3 * gate:.0f} ns, {100 * 3 * gate / whole:.2f} % of the layer")
    print(f"gate in Python, while a program is traced: {microseconds_in_python():.0f} us a call")
    interval = f"{ratio.mean:.4f} ({ratio.low:.4f} to {ratio.high:.4f})"
    print(f"checked over unchecked, {options.rounds} pairs: {interval}")


if __name__ == "__main__":
    main()
