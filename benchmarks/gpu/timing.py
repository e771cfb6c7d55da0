"""The clock of a section, and seconds per call."""

import time
from collections.abc import Callable

import jax
import numpy as np


class Clock:
    """The time that a section has, and what its longest part took so far.

    Attributes:
        cuts: parts before which time was up.
    """

    def __init__(self, seconds: float, cuts: list[str] | None = None) -> None:
        self.cuts: list[str] = [] if cuts is None else cuts
        self._begun = time.monotonic()
        self._end, self._longest = self._begun + seconds, 0.0

    def left(self) -> float:
        return self._end - time.monotonic()

    def has_room(self, part: str, *, growth: float = 1.0) -> bool:
        """Whether one more part may begin: there is time for ``growth`` times the longest so far."""
        now = time.monotonic()
        self._longest, self._begun = max(self._longest, now - self._begun), now
        if self.left() > growth * self._longest:
            return True
        self.cuts.append(part)
        return False

    def share(self, share: float) -> "Clock":
        """A clock of a share of the time that is left."""
        return Clock(share * self.left(), self.cuts)


class Seconds:
    """Seconds of a call, median and quartiles over rounds."""

    def __init__(self, rounds: list[float]) -> None:
        self.low, self.median, self.high = np.quantile(rounds, (0.25, 0.5, 0.75)).tolist()


def measured(calls: Callable[[int], object], seconds: float, rounds: int) -> Seconds:
    """Time ``calls(n)``, which makes n calls and waits for them; the first compiles and is not counted."""
    calls(1)
    once = timed(lambda: calls(1))
    count = max(1, int(seconds / rounds / once))
    rounds = min(rounds, max(2, int(5 * seconds / once)))
    return Seconds([timed(lambda: calls(count)) / count for _ in range(rounds)])


def repeated(call: Callable[[], object]) -> Callable[[int], None]:
    """Make ``calls`` of :func:`measured` from one call; a GPU keeps their order, so the last is awaited.

    Results before the last are let go, because many of them need not fit on the device.
    """

    def calls(count: int) -> None:
        result = None
        for _ in range(count):
            result = call()
        jax.block_until_ready(result)

    return calls


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def out_of_memory(error: Exception) -> bool:
    """Whether the device has not the memory, as the compiler or the device itself says it."""
    return any(words in str(error) for words in ("RESOURCE_EXHAUSTED", "out of memory", "Out of memory"))
