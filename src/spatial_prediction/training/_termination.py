"""Requests to end (SIGTERM) that wait until the current step is finished."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(Exception):  # noqa: N818 - a planned end, not an error
    """The job was asked to end; its state is saved and training can go on from there."""


@contextmanager
def termination_noticed() -> Iterator[list[int]]:
    """Yield a list that is filled when SIGTERM arrives, so that the process does not die within a step."""
    received: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    except ValueError:  # not the main thread: the caller handles signals
        yield received
        return
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
