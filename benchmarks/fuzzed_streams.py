"""Claim: a damaged stream of CCSDS 123.0-B-2 gives an error or a cube, soon and in little memory.

Damages streams of every kind (bits, bytes, bytes left out or put in, cut ends, headers), decompresses each
and counts what came of it. Any other exception ends the program. The seconds of the slowest and the largest
memory of the process are printed.

  python benchmarks/fuzzed_streams.py --streams 10000
"""

import argparse
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.compressed_streams import EACH_KIND, damaged, outcome, smooth_cube

from spatial_prediction.compression import ccsds123


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    cubes = [smooth_cube((5, columns, 4), columns) for columns in (2, 6, 9)]
    streams = {
        name: [ccsds123.compress(cube, **parameters) for cube in cubes]
        for name, parameters in EACH_KIND.items()
    }
    found: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    for number in range(options.streams):
        name = list(streams)[number % len(streams)]
        stream = damaged(streams[name][rng.integers(len(streams[name]))], rng)
        begun = time.perf_counter()
        found[name, outcome(stream)] += 1
        slowest = max(slowest, time.perf_counter() - begun)
    for name in streams:
        print(f"{name:24} {found[name, 'error']:6} errors {found[name, 'cube']:6} cubes")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{sum(found.values())} streams; the slowest took {slowest:.2f} s; at most {memory:.0f} MB of memory"
    )


if __name__ == "__main__":
    main()
