"""Progress for people at a terminal and plain lines for batch jobs."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


def progress(
    items: Iterable[Item],
    *,
    total: int,
    description: str,
    unit: str = "it",
    seconds_between_lines: float = 10.0,
) -> Iterator[Item]:
    """Pass ``items`` on while showing how far along they are.

    On a terminal this is a progress bar. Elsewhere (a batch job, a log file) it is a plain log line at
    most every ``seconds_between_lines`` seconds, and one at the end. The time left is shown from the second
    item on and leaves out the first, in which programs are compiled.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=description, unit=unit, dynamic_ncols=True)
        return
    started = last = first = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if done == 1:
            first = now
        elif now - last >= seconds_between_lines and done < total:
            last = now
            remaining = (now - first) / (done - 1) * (total - done)
            logger.info("%s: %d of %d %s, about %.0f s left", description, done, total, unit, remaining)
    logger.info("%s: %d of %d %s in %.1f s", description, done, total, unit, time.monotonic() - started)


@contextlib.contextmanager
def byte_progress(
    total: int, *, description: str, seconds_between_lines: float = 10.0
) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how many more bytes have come, from any thread; show how far along they are.

    On a terminal this is a progress bar with rate and remaining time, elsewhere a plain log line with both at
    most every ``seconds_between_lines`` seconds, and one at the end.
    """
    lock = threading.Lock()
    if sys.stderr.isatty():
        with tqdm(total=total, desc=description, unit="B", unit_scale=True, dynamic_ncols=True) as bar:

            def show(size: int) -> None:
                with lock:
                    bar.update(size)

            yield show
        return

    started = last = time.monotonic()
    done = 0

    def line() -> str:
        rate = done / max(time.monotonic() - started, 1e-9)
        left = f", about {(total - done) / rate:.0f} s left" if 0 < done < total else ""
        return f"{description}: {done / 1e6:.1f} of {total / 1e6:.1f} MB at {rate / 1e6:.2f} MB/s{left}"

    def log(size: int) -> None:
        nonlocal done, last
        with lock:
            done += size
            if (now := time.monotonic()) - last >= seconds_between_lines:
                last = now
                logger.info("%s", line())

    yield log
    logger.info("%s", line())
