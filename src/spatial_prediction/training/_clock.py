"""The training time of each of several runs."""

import time
from collections.abc import Sequence

from spatial_prediction.training._run import Run


class Clock:
    """Keeps the seconds of each run: those of earlier jobs plus an equal share of this one's."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._before = [run.seconds for run in runs]
        self._started = time.monotonic()

    def update(self) -> None:
        """Bring ``seconds`` of all runs up to now."""
        share = (time.monotonic() - self._started) / len(self._runs)
        for run, before in zip(self._runs, self._before, strict=True):
            run.seconds = before + share
