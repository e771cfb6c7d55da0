"""Batches read by a thread while the device computes."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from spatial_prediction.background import one_thread
from spatial_prediction.training._run import Batches


class ReadAhead:
    """Batches that are read and put on the device before they are needed.

    A batch depends only on its step, so reading ahead cannot change it.

    Attributes:
        waited_seconds: total time that callers had to wait for batches.
    """

    def __init__(self, batches: Batches, reader: ThreadPoolExecutor, *, steps_ahead: int = 2) -> None:
        self.batches = batches
        self.waited_seconds = 0.0
        self._reader, self._steps_ahead = reader, steps_ahead
        self._reading: dict[int, Future] = {}

    def __getitem__(self, step: int) -> jax.Array:
        """Return the batch of ``step``, on the device."""
        wanted = range(step, step + 1 + self._steps_ahead)
        self._reading = {
            each: self._reading.get(each) or self._reader.submit(self._read, each) for each in wanted
        }
        started = time.perf_counter()
        batch = self._reading.pop(step).result()
        self.waited_seconds += time.perf_counter() - started
        return batch

    def draw(self, step: int) -> np.ndarray:
        """Return ``batches.draw(step)``, the indices of the examples in the batch of ``step``."""
        draw: Any = self.batches.draw  # type: ignore[attr-defined]
        return draw(step)

    def _read(self, step: int) -> jax.Array:
        return jax.device_put(self.batches[step])


@contextmanager
def reading_ahead(batches: list[Batches]) -> Iterator[list[ReadAhead]]:
    """Yield ``batches``, read ahead by one thread that ends with the block."""
    with one_thread("read_ahead") as reader:
        yield [ReadAhead(each, reader) for each in batches]
