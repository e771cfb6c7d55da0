"""Claim: a pixel costs the same in one tile, in a batch of tiles and in a large map, within 15 %.

Inference of the merged network to pixels, for each border handling, on one tile of 48 x 48, on a batch of 64
and on one map of 2,048 x 2,048, by the clock. Each is a compiled program with the weights in it, and computes
in the thread that calls it, which waits anyway. The three take turns in one process; each figure is the least
of all rounds, because other programs only add to it, and of several processes, because a virtual machine runs
both threads of some on one core. What each process found is printed, too.

  python benchmarks/one_tile.py
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable

import jax

from spatial_prediction.command import take_job_environment
from spatial_prediction.models import RVSR, border_from_name, bundled_network

SHAPES = {"one tile": (1, 48), "64 tiles": (64, 48), "a map": (1, 2048)}
PIXELS_A_ROUND = 2**18


def with_borders(network: RVSR, name: str) -> RVSR:
    """Return the network with another border handling, one that has no arrays, in all its layers."""
    return dataclasses.replace(network, borders=(border_from_name(name),) * network.depth)


def program(network: RVSR, batch: int, size: int) -> Callable[[], jax.Array]:
    """Compile the network for a batch of square images; the function returned computes one."""
    image = jax.random.normal(jax.random.key(0), (batch, size, size, 3)) / 3
    compiled = jax.jit(lambda image: network.apply(image))
    return lambda: jax.block_until_ready(compiled(image))


def least(run: Callable[[], jax.Array], repeats: int) -> float:
    """Return the seconds of the shortest call."""
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return min(spent)


def measured(border: str, rounds: int) -> dict[str, float]:
    """Nanoseconds of each pixel in each shape, the least of some rounds."""
    network = with_borders(bundled_network(output_crop=0), border)
    runs = {case: program(network, *shape) for case, shape in SHAPES.items()}
    for run in runs.values():
        run()
    found: dict[str, list[float]] = {case: [] for case in SHAPES}
    for _ in range(rounds):
        for case, (batch, size) in SHAPES.items():
            pixels = batch * size**2
            found[case].append(1e9 * least(runs[case], max(1, PIXELS_A_ROUND // pixels)) / pixels)
    return {case: min(each) for case, each in found.items()}


def show(who: str, figures: dict[str, float]) -> None:
    each = ", ".join(f"{case} {figure:.0f}" for case, figure in figures.items())
    ratio = max(figures.values()) / min(figures.values())
    print(f"{who}: {each} ns for each pixel; greatest over least {ratio:.2f}", flush=True)


def main() -> None:
    take_job_environment()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--borders", nargs="+", default=["zero", "lp2x3"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        print(json.dumps(measured(options.borders[0], options.rounds)))
        return
    for border in options.borders:
        command = [sys.executable, __file__, "--in-this-process", "--borders", border]
        command += ["--rounds", str(options.rounds)]
        found = []
        for process in range(options.processes):
            ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found.append(json.loads(ended.stdout))
            show(f"  {border}, process {process + 1}", found[-1])
        show(border, {case: min(each[case] for each in found) for case in SHAPES})


if __name__ == "__main__":
    main()
