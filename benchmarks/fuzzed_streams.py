"""Claim: a damaged stream or container gives an error or a cube, soon and in little memory.

Damages streams of CCSDS 123.0-B-2 of every kind (bits, bytes, bytes left out or put in, cut ends, headers),
streams of the coder by context, and containers of every predictor: anywhere, where only an error or the
right cube may come of it, and beneath the checksums of groups and of the header, which are then made right.
Decompresses each and counts what came of it. Any other exception ends the program. The seconds of the slowest
and the largest memory of the process are printed.

  python benchmarks/fuzzed_streams.py --streams 10000
"""

import argparse
import functools
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peers.peak_memory import peak_memory

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.compressed_streams import EACH_KIND, damaged, outcome, smooth_cube
from tests.damaged_containers import Containers

from spatial_prediction.compression import ccsds123

Case = Callable[[np.random.Generator], str]


def standard(streams: list[bytes], rng: np.random.Generator) -> str:
    """What comes of one of some streams of the standard."""
    return outcome(damaged(streams[rng.integers(len(streams))], rng))


def all_cases() -> dict[str, Case]:
    """What is damaged, by name."""
    cubes = [smooth_cube((5, columns, 4), columns) for columns in (2, 6, 9)]
    cases: dict[str, Case] = {
        f"CCSDS 123, {name}": functools.partial(
            standard, [ccsds123.compress(cube, **parameters) for cube in cubes]
        )
        for name, parameters in EACH_KIND.items()
    }
    containers = Containers()
    cases["coder by context"] = containers.outcome_of_residuals
    for predictor, place in containers.cases:
        cases[f"{predictor}, {place}"] = functools.partial(containers.outcome, predictor, place)
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    cases = all_cases()
    found: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    for number in range(options.streams):
        name = list(cases)[number % len(cases)]
        begun = time.process_time()
        found[name, cases[name](rng)] += 1
        if number >= len(cases):  # loops are compiled before
            slowest = max(slowest, time.process_time() - begun)
    print(f"{'':48} errors  right  cubes, right or wrong")
    for name in cases:
        right, cubes = found[name, "right"], found[name, "cube"] + found[name, "wrong"]
        print(f"{name:48} {found[name, 'error']:6} {right:6} {cubes:6}")
    print(
        f"{sum(found.values())} streams; the slowest took {slowest:.2f} s of processor time; at most "
        f"{peak_memory():.0f} MiB of memory"
    )


if __name__ == "__main__":
    main()
