"""A request to end (SIGTERM) waits until the step at hand is finished."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(Exception):  # noqa: N818 - an ending as planned, not an error
    """The job was asked to end; its state is saved and training can go on from there."""


@contextmanager
def termination_noticed() -> Iterator[list[int]]:
    """Give a list that fills when SIGTERM arrives, instead of dying in the middle of a step."""
    received: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    except ValueError:  # not the main thread: whoever runs us sees to signals
        yield received
        return
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
