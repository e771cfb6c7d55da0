"""Claim: a core codes 60 million samples a second and decodes 45, with the predictor 10 either way.

More claims: that is at least 1.5 times as fast as a public coder of the standard; LineRWKV XS takes a
twentieth of the published code's time on two cores, decoding on one.

Codes a cube of a spectrometer, or a synthetic one, a few times in turn and shows the fastest of each in
million samples a second of processor time: the coder (sample-adaptive, mapped differences of bands), CCSDS
123.0-B-2 with its defaults and others, bits per sample and the largest error; then containers of eight
groups with one thread and with two, and containers of LineRWKV XS (random weights: time does not depend on
them), of 128 rows of 64 columns and 202 bands in one group and in two. --peer PATH runs a checkout of
joshuadarecullen/CCSDS-HSI-Compression on the same cube in the same turns.

  python benchmarks/codec.py --cube enmap_potsdam.bsq
  python benchmarks/codec.py --peer ../CCSDS-HSI-Compression
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.line_networks import random_network

from spatial_prediction.compression import ccsds123, compress, context_coder, decompress
from spatial_prediction.compression.entropy_coder import decode_residuals, encode_residuals
from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.compression.integer_linerwkv._lanes import COLUMNS
from spatial_prediction.compression.integer_linerwkv.kernels import product
from spatial_prediction.compression.linerwkv import SIZES, quantised
from spatial_prediction.compression.methods import method_of

SETTINGS = {
    "CCSDS 123.0-B-2": {},
    "BIP": {"encoding_order": "BI", "M": None},
    "P 6, Omega 16": {"P": 6, "Omega": 16},
    "reduced, narrow_column": {"prediction_mode": "reduced", "local_sum": "narrow_column"},
    "absolute limit 1": {"fidelity": "absolute", "a": 1},
    "hybrid coder": {"entropy_coder": "hybrid"},
}
PUBLISHED = np.array([22.0, 56.0])
"""Seconds of the published code on a CPU to encode and decode 128 x 64 x 202 samples with LineRWKV XS."""

Runs = tuple[Callable[[], bytes], Callable[[bytes], np.ndarray]]


def stored_cube(path: Path) -> np.ndarray:
    """Read a raw file by band, beside which a JSON file states rows, columns and bands."""
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    samples = np.fromfile(path, "<u2").reshape(about["bands"], about["rows"], about["columns"])
    return np.ascontiguousarray(samples.transpose(1, 2, 0))


def synthetic_cube(rows: int = 128, columns: int = 64, bands: int = 218) -> np.ndarray:
    """Mix three smooth spectra by smooth abundances, with noise of some 10 DN."""
    rng = np.random.default_rng(0)
    fields = np.cumsum(np.cumsum(rng.normal(size=(3, rows, columns)), axis=1), axis=2)
    abundances = np.abs(fields) / np.abs(fields).sum(0)
    spectra = 2000 + np.cumsum(rng.normal(scale=40, size=(3, bands)), axis=1)
    cube = np.einsum("irc,ib->rcb", abundances, spectra) + rng.normal(scale=10, size=(rows, columns, bands))
    return cube.clip(0, 65535).astype(np.uint16)


def mapped_differences(cube: np.ndarray) -> np.ndarray:
    """Differences of bands as numbers from 0: 0, -1, 1, -2 become 0, 1, 2, 3."""
    differences = np.diff(cube.astype(np.int32), axis=2, prepend=0)
    return np.where(differences >= 0, 2 * differences, -2 * differences - 1).clip(0, 65535).astype(np.uint16)


def peer(checkout: Path, cube: np.ndarray) -> Runs:
    """The public coder, which takes (bands, rows, columns)."""
    sys.path.insert(0, str(checkout / "src"))
    from ccsds.codec import CCSDS123  # type: ignore[import-not-found]

    image = np.ascontiguousarray(cube.transpose(2, 0, 1))
    codec = CCSDS123.from_image(image)
    return lambda: codec.compress(image), lambda stream: codec.decompress(stream).transpose(1, 2, 0)


def commit_of(checkout: Path) -> str:
    """Abbreviated commit of a checkout."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "of unknown commit"


def seconds(run: Callable[[], object]) -> float:
    """Processor time of this process, which does not include other programs."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


def real_seconds(run: Callable[[], object]) -> float:
    """Time on the clock, which other programs lengthen."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def linerwkv_seconds(cube: np.ndarray, network: IntegerNetwork, threads: int, rounds: int) -> np.ndarray:
    """Seconds of the processor and of the clock, each to encode and to decode, with a group a thread."""

    def encode() -> bytes:
        rows = len(cube) // threads
        return compress(cube, predictor="linerwkv", network=network, rows_per_group=rows, threads=threads)

    def decode() -> np.ndarray:
        return decompress(stream, network=network, threads=threads)

    stream = encode()
    assert (decode() == cube).all()
    clocks = (seconds, real_seconds)
    return np.array([[[clock(encode), clock(decode)] for clock in clocks] for _ in range(rounds)]).min(0)


def floor_seconds(cube: np.ndarray, network: IntegerNetwork, rounds: int) -> np.ndarray:
    """Processor time of the products in the network's blocks, and of the coder: no other loops spare them."""
    blocks = np.concatenate([network.lines.matrices, network.bands.matrices])
    matrices = np.concatenate([blocks, blocks[:, [3, 6]]], axis=1)  # two of them take inputs in two parts
    pairs, out = np.ones((2, network.features, COLUMNS), np.int32)
    multiply(1, matrices, pairs, out)
    residuals = method_of("linerwkv", network).residuals(cube, 0)
    parts = (
        lambda: multiply(cube.size // COLUMNS, matrices, pairs, out),
        lambda: context_coder.encode_residuals(residuals),
    )
    return np.array([[seconds(part) for part in parts] for _ in range(rounds)]).min(0)


@numba.njit
def multiply(times: int, matrices: np.ndarray, pairs: np.ndarray, out: np.ndarray) -> None:
    """Multiply with all matrices so many times."""
    for _ in range(times):
        for block in range(matrices.shape[0]):
            for which in range(matrices.shape[1]):
                product(matrices[block, which], pairs, out)


def show_linerwkv(rounds: int) -> None:
    """Print seconds of LineRWKV XS beside those of the published code."""
    cube, network = synthetic_cube(bands=202), quantised(random_network(SIZES["xs"]))
    print(f"{'LineRWKV XS, by threads':24} encode decode  (seconds)")
    for threads in (1, 2):
        found = linerwkv_seconds(cube, network, threads, rounds)
        for name, each in zip(("processor", "clock"), found, strict=True):
            print(
                f"{threads:14} {name:>9} {each[0]:6.2f} {each[1]:6.2f}  the published code takes "
                "{:.1f} and {:.1f} times as long".format(*PUBLISHED / each)
            )
    floor = floor_seconds(cube, network, rounds)
    print("of them products of matrices {:.2f}, the coder by context {:.2f}".format(*floor))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cube", type=Path, help="raw file by band; a synthetic cube otherwise")
    parser.add_argument("--peer", type=Path, help="checkout of the public coder")
    parser.add_argument("--peer-commit", help="its commit, where the files are there without their history")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only-linerwkv", action="store_true", help="leave out all but LineRWKV")
    options = parser.parse_args()
    if options.only_linerwkv:
        return show_linerwkv(options.rounds)

    cube = stored_cube(options.cube) if options.cube else synthetic_cube()
    residuals = mapped_differences(cube)
    runs: dict[str, Runs] = {
        "entropy coder": (
            lambda: encode_residuals(residuals),
            lambda stream: decode_residuals(stream, residuals.shape),
        )
    }
    for name, settings in SETTINGS.items():
        given = {key: cube.shape[2] if value is None else value for key, value in settings.items()}
        runs[name] = (lambda given=given: ccsds123.compress(cube, **given), ccsds123.decompress)
    if options.peer:
        runs["the public coder"] = peer(options.peer, cube)

    streams = {name: encode() for name, (encode, _) in runs.items()}
    errors = {}
    for name, (_, decode) in runs.items():
        original = residuals if name == "entropy coder" else cube
        errors[name] = int(np.abs(decode(streams[name]).astype(np.int64) - original).max())
    times = np.empty((options.rounds, len(runs), 2))
    for turn in range(options.rounds):
        for number, (name, (encode, decode)) in enumerate(runs.items()):
            times[turn, number] = seconds(encode), seconds(lambda d=decode, n=name: d(streams[n]))
    rates = cube.size / times.min(0) / 1e6

    print(f"{options.cube or 'synthetic cube'}, (rows, columns, bands) = {cube.shape}")
    print(f"{'million samples a second':24} encode decode  bits per sample  largest error")
    for name, (encode, decode) in zip(runs, rates, strict=True):
        bits = 8 * len(streams[name]) / cube.size
        print(f"{name:24} {encode:6.1f} {decode:6.1f}  {bits:15.3f}  {errors[name]:13}")
    print(f"{'container, by threads':24} encode decode  (of real time)")
    rows_per_group = -(-cube.shape[0] // 8)
    stream = compress(cube, rows_per_group=rows_per_group)
    for threads in (1, 2):
        encode, decode = (
            min(real_seconds(run) for _ in range(options.rounds))
            for run in (
                lambda threads=threads: compress(cube, rows_per_group=rows_per_group, threads=threads),
                lambda threads=threads: decompress(stream, threads=threads),
            )
        )
        print(f"{threads:24} {cube.size / encode / 1e6:6.1f} {cube.size / decode / 1e6:6.1f}")
    show_linerwkv(options.rounds)
    if options.peer:
        ratio = rates[list(runs).index("CCSDS 123.0-B-2")] / rates[-1]
        commit = options.peer_commit or commit_of(options.peer)
        print(f"over the public coder ({commit}): {ratio[0]:.2f} encode, {ratio[1]:.2f} decode")
    else:
        print("the public coder was not measured: name its checkout with --peer")


if __name__ == "__main__":
    main()
