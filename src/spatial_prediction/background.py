"""Work that threads do beside the caller's: reading what comes next, writing what is done."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

STORING_SECONDS = 0.1
"""Between two times that a growing file is stored."""


@contextmanager
def one_thread(name: str) -> Iterator[ThreadPoolExecutor]:
    """Give a thread that does one call after the other, and ends with the block, as :func:`threads`."""
    with threads(1, name) as executor:
        yield executor


@contextmanager
def threads(number: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Give threads that end with the block.

    Of an error in the block, they finish the calls they are at, and do no other.

    Args:
        number: how many calls are done at once.
        name: of the threads, as a debugger shows it.
    """
    with ThreadPoolExecutor(number, thread_name_prefix=name) as executor:
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def stored_behind(path: Path) -> Iterator[None]:
    """Have the system store what is written to a file of any size while more is computed for it.

    Otherwise all of it waits in memory until the file is complete, and only then the disk begins.

    Args:
        path: of the file, which appears at some time within the block.

    Raises:
        OSError: the disk failed. The system reports that once, perhaps to this thread, not to the writer.
    """
    ended = threading.Event()

    def store() -> None:
        while not ended.wait(STORING_SECONDS) and not path.exists():
            pass
        if path.exists():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                while not ended.wait(STORING_SECONDS):
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    with one_thread("store_behind") as thread:
        storing = thread.submit(store)
        try:
            yield
        finally:
            ended.set()
        storing.result()
