"""Claim: every cube comes back from every coder, exactly or within the largest error.

Codes each raw cube of a folder (*.bsq with a JSON file beside it) with every coder, with largest errors of 0,
1, 2 and 5, decodes it and compares: differences of neighbours, CCSDS 123.0-B-2 in several settings, least
squares, LineRWKV, both mixed. LineRWKV has random weights of the sizes XS, and with crops of 32 rows and 16
columns M and L; --weights FILE.npz adds named arrays of networks, --rows takes the first rows only. Each line
goes into the log at once, with the part of the cube that was coded; --go-on leaves out what is in it already.

  python benchmarks/round_trips.py CUBES --log round_trips.csv
  python benchmarks/round_trips.py CUBES --log round_trips.csv --weights weights_xs.npz
"""

import argparse
import csv
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from codec import stored_cube  # the benchmark beside this one

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.every_coder import Coder, coders
from tests.line_networks import random_network

from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.compression.linerwkv import SIZES, LineRWKV, quantised

DELTAS = (0, 1, 2, 5)
CROP = (32, 16)
_COLUMNS = ("cube", "rows", "columns", "bands", "coder", "delta")
_FOUND = ("bits_per_sample", "largest_error", "seconds", "sha256")


def networks(weights: list[Path]) -> dict[str, IntegerNetwork]:
    """Networks of the sizes that whole cubes are coded with."""
    found = {"XS, random": quantised(random_network(SIZES["xs"]))}
    for path in weights:
        with np.load(path) as arrays:
            found[path.stem] = quantised(LineRWKV.from_named_arrays(dict(arrays)))
    return found


def cases(cube: np.ndarray, weights: list[Path]) -> Iterator[tuple[str, Coder, np.ndarray]]:
    """Every coder with what it codes, the fast ones first."""
    for name, coder in coders(networks(weights)).items():
        yield name, coder, cube
    large = {f"{size.upper()}, random": quantised(random_network(SIZES[size])) for size in ("m", "l")}
    crop = cube[: CROP[0], : CROP[1]]
    for name, coder in coders(large).items():
        if any(size in name for size in large):
            yield name, coder, crop


def round_trip(coder: Coder, cube: np.ndarray, delta: int) -> tuple[float, int, float, str]:
    """Bits per sample, largest error, processor time of both ways, and the stream's hash."""
    begun = time.process_time()
    stream = coder.encode(cube, delta)
    decoded = coder.decode(stream, cube.shape, cube.dtype, delta)
    seconds = time.process_time() - begun
    assert decoded.dtype == cube.dtype
    error = int(np.abs(decoded.astype(np.int64) - cube).max())
    return 8 * len(stream) / cube.size, error, seconds, hashlib.sha256(stream).hexdigest()


def logged(path: Path) -> set[tuple[str, str, str]]:
    """Cubes, coders and errors of a log."""
    if not path.exists():
        return set()
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["cube"], row["coder"], row["delta"]) for row in csv.DictReader(file)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--log", type=Path, default=Path("round_trips.csv"))
    parser.add_argument("--go-on", action="store_true", help="add to the log what it lacks")
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="named arrays of networks")
    parser.add_argument("--rows", type=int, help="code the first rows only")
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.bsq"))
    if not paths:
        sys.exit(f"{options.folder}: has no *.bsq; name a folder of raw cubes")
    done = logged(options.log) if options.go_on else set()
    count, total, wrong = 0, 0.0, 0
    with options.log.open("a" if options.go_on else "w", newline="", encoding="utf-8") as file:
        log = csv.DictWriter(file, [*_COLUMNS, *_FOUND])
        if not done:
            log.writeheader()
        for path in paths:
            for name, coder, cube in cases(stored_cube(path)[: options.rows], options.weights):
                for delta in DELTAS:
                    if (path.stem, name, str(delta)) in done:
                        continue
                    bits, error, seconds, digest = round_trip(coder, cube, delta)
                    case = dict(zip(_COLUMNS, (path.stem, *cube.shape, name, delta), strict=True))
                    found = (f"{bits:.4f}", error, f"{seconds:.2f}", digest)
                    log.writerow(case | dict(zip(_FOUND, found, strict=True)))
                    file.flush()
                    count, total, wrong = count + 1, total + seconds, wrong + (error > delta)
                    outcome = "right" if error <= delta else f"WRONG BY {error}"
                    print(f"{path.stem} {cube.shape} {name}, {delta}: {bits:.3f} bits, {outcome}", flush=True)
    print(f"{count} round trips in {total / 3600:.2f} hours of processor time, {wrong} of them wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
