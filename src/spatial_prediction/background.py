"""Work that a thread does beside the caller's: reading what comes next, writing what is done."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def one_thread(name: str) -> Iterator[ThreadPoolExecutor]:
    """Give a thread that does one call after the other, and ends with the block.

    Of an error in the block, it finishes the call it is at, and does no other.

    Args:
        name: of the thread, as a debugger shows it.
    """
    with ThreadPoolExecutor(1, thread_name_prefix=name) as executor:
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
