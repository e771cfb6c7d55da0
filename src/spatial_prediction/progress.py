"""Progress for people at a terminal and plain lines for batch jobs."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
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
    most every ``seconds_between_lines`` seconds, and one at the end.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=description, unit=unit, dynamic_ncols=True)
        return
    started = last = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= seconds_between_lines and done < total:
            last = now
            remaining = (now - started) / done * (total - done)
            logger.info("%s: %d of %d %s, about %.0f s left", description, done, total, unit, remaining)
    logger.info("%s: %d of %d %s in %.1f s", description, done, total, unit, time.monotonic() - started)
