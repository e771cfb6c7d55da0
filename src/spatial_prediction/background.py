"""Work that threads do beside the caller's: reading what comes next, writing what is done."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


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
