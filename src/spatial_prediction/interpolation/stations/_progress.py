"""How far a prediction is."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator

from tqdm import tqdm

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


@contextlib.contextmanager
def predictions_reported(total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how many cells were predicted so far, and show it.

    On a terminal this is a progress bar, elsewhere a line at most every ten seconds.
    """
    if sys.stderr.isatty():
        with tqdm(total=total, desc="prediction", unit=" cells", unit_scale=True, dynamic_ncols=True) as bar:

            def show(done: int) -> None:
                bar.update(done - bar.n)

            yield show
        return
    started = last = time.monotonic()

    def log(done: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= SECONDS_BETWEEN_LINES:
            last = now
            left = (now - started) / done * (total - done)
            logger.info("prediction: %d of %d cells, about %.0f s left", done, total, left)

    yield log
