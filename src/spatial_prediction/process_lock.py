"""Files that show whether processes are at work: the system drops a process's lock, however that ends."""

import contextlib
import fcntl
import os
import platform
from collections.abc import Iterator
from pathlib import Path

RUNNING = Path(".snakemake/running.lock")
"""Held by every Snakemake that runs this workflow in a folder."""

WORKING = Path(".snakemake/working.lock")
"""Held by every job of the workflow."""

WORKING_VARIABLE = "SPATIAL_PREDICTION_WORKING"
"""Environment variable that says to a job where ``WORKING`` is."""

_held: list[int] = []


def hold(path: str | Path) -> None:
    """Hold the file until this process ends, beside any others that do; processes it starts do not.

    Where the file system has no locks, or the file cannot be written, nothing is held.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        _held.append(file)
        fcntl.flock(file, fcntl.LOCK_SH)
        os.pwrite(file, f"{platform.node()[:200]:<200}\n".encode(), 0)
    except OSError:
        return


@contextlib.contextmanager
def held_alone(path: str | Path) -> Iterator[bool]:
    """Hold the file against all other processes; remove it afterwards.

    Yields:
        Whether it is held. It is not where another process holds it.

    Raises:
        OSError: the file cannot be made, or the file system has no locks.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)
    finally:
        os.close(file)


def is_held(path: str | Path) -> bool | None:
    """Tell whether any process holds the file; None where that cannot be known from here.

    It cannot where there is no such file, where the file system has no locks, and where the last process to
    take the file was on another machine.
    """
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False if os.pread(file, 1000, 0).decode().strip() == platform.node()[:200] else None
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(file)


def wait_until_free(path: str | Path) -> None:
    """Wait until no process holds the file."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    finally:
        os.close(file)
