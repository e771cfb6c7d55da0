"""What peers of gp_value_and_gradient.py share: the problem's file, the clock, and the line they print.

Imports nothing but NumPy before a peer's own library, because each runs in an environment of its own.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from peak_memory import peak_memory


def problem() -> dict[str, np.ndarray]:
    """Read the file named on the command line: points (N, 3), values (N,), and positive parameters."""
    with np.load(sys.argv[1]) as arrays:
        return dict(arrays)


def measure(value_and_gradient: Callable[[], tuple[float, list[float]]], *, repeats: int = 2) -> None:
    """Call once to compile, then time, and print a line of JSON."""

    def processors() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    value, gradient = value_and_gradient()
    seconds = []
    for _ in range(repeats):
        clock, before = time.perf_counter(), processors()
        value_and_gradient()
        seconds.append((processors() - before, time.perf_counter() - clock))
    cpu, wall = min(seconds)
    print(
        json.dumps(
            {"value": value, "gradient": gradient, "cpu": cpu, "wall": wall, "megabytes": peak_memory()}
        )
    )
