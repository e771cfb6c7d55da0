"""What coding and decoding cost, and whether the cube comes back."""

import contextlib
import ctypes
import gc
import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Integer

Result = TypeVar("Result")

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PEAK = "5"
"""What is written to forget the largest memory so far."""


class Cost(NamedTuple):
    """What a call took.

    Attributes:
        seconds: of processor time, all threads together, so that other programs do not count.
        memory: bytes by which the process grew at most; NaN where the system does not say (only Linux does).
    """

    seconds: float
    memory: float


def measured(action: Callable[[], Result], repeats: int) -> tuple[Result, Cost]:
    """Call a function several times; return what it returned first, and what it cost.

    Memory is that of the first call, time the least of all.
    """
    with contextlib.suppress(OSError, AttributeError):
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # else memory that was used before would not count
    before = _memory("VmRSS", forget_peak=True)
    begun = time.process_time()
    result = action()
    seconds = [time.process_time() - begun]
    memory = _memory("VmHWM") - before
    for _ in range(repeats - 1):
        begun = time.process_time()
        action()
        seconds.append(time.process_time() - begun)
    return result, Cost(min(seconds), max(memory, 0.0))


def _memory(name: str, *, forget_peak: bool = False) -> float:
    """Bytes of this process's memory, now (``VmRSS``) or at most so far (``VmHWM``)."""
    try:
        if forget_peak:
            _CLEAR.write_text(_PEAK)
        found = re.search(rf"{name}:\s*(\d+) kB", _STATUS.read_text())
    except OSError:
        return math.nan
    return 1024.0 * int(found[1]) if found else math.nan


class Fidelity(NamedTuple):
    """How a decoded cube compares with what was coded.

    Attributes:
        largest_error: of a sample.
        rmse: root mean square error.
        psnr: decibels by which the cube's largest sample exceeds it; infinite without errors.
        verified: it has type and shape of the original, and no sample is wrong by more than was allowed.
    """

    largest_error: int
    rmse: float
    psnr: float
    verified: bool


def fidelity(samples: Integer[np.ndarray, "rows columns bands"], decoded: np.ndarray, delta: int) -> Fidelity:
    """Compare a decoded cube with the original."""
    if decoded.shape != samples.shape:
        return Fidelity(-1, math.nan, math.nan, False)
    errors = np.abs(decoded.astype(np.int64) - samples.astype(np.int64))
    largest = int(errors.max())
    rmse = math.sqrt(float(np.mean(np.square(errors, dtype=np.float64))))
    peak = float(np.abs(samples.astype(np.int64)).max())
    psnr = math.inf if rmse == 0 else 20 * math.log10(peak / rmse) if peak else math.nan
    return Fidelity(largest, rmse, psnr, decoded.dtype == samples.dtype and largest <= delta)
