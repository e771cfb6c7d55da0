"""The process that computes sections one after the other, ended from outside where one overruns."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gpu.sizes import TINY, Sizes

Message = tuple[str, Any]
"""``title``, ``row`` or ``end``, and its content."""

SOFT = 0.9
"""Share of its time after which a section begins nothing new."""


class NotHereError(Exception):
    """What a section needs is not on this machine; the message is what stands in place of its table."""


class EndedError(Exception):
    """The process is no more; the message says why."""


class Worker:
    """A process with JAX."""

    def __init__(self, *, tiny: bool, python: Path | None, log: Path) -> None:
        spawned = multiprocessing.get_context("spawn")
        self._connection, other = spawned.Pipe()
        self._log = log
        self._process = spawned.Process(target=serve, args=(other, tiny, python, log))
        self._process.start()
        other.close()

    def machine(self, seconds: float) -> dict[str, Any]:
        """What it runs on, once it has started."""
        return self._next(time.monotonic() + seconds)

    def answers(self, section: str, seconds: float, earlier: Mapping[str, Any]) -> Iterator[Message]:
        """Compute a section: its title, its rows, and at the end why some are missing, or None.

        Raises:
            EndedError: the section took longer than it had, or its process ended.
        """
        end = time.monotonic() + seconds
        self._connection.send((section, SOFT * seconds, earlier))
        what = ""
        while what != "end":
            what, content = self._next(end)
            yield what, content

    def close(self) -> None:
        """End the process, and those that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()  # where it has no group of its own yet
        self._process.join()

    def _next(self, end: float) -> Any:
        try:
            if self._connection.poll(max(0.0, end - time.monotonic())):
                return self._connection.recv()
        except EOFError:
            self._process.join(5)
            code = self._process.exitcode
            raise EndedError(f"its process ended with exit code {code}; {self._log} says more") from None
        raise EndedError("ended: a part took longer than there was time")


def serve(connection: Connection, tiny: bool, python: Path | None, log: Path) -> None:
    """Compute the sections that are asked for."""
    os.setpgid(0, 0)  # so that it can be ended with all that it starts
    with open(log, "a", encoding="utf-8") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    import jax

    if tiny:  # these programs run once or twice
        jax.config.update("jax_disable_most_optimizations", True)
    sections = functions(python)
    connection.send(machine())
    sizes = TINY if tiny else Sizes()
    while True:
        name, seconds, earlier = connection.recv()
        connection.send(("title", sections[name].func.__doc__.partition("\n")[0]))
        connection.send(("end", outcome(sections[name], sizes, seconds, earlier, connection)))


def functions(python: Path | None) -> dict[str, partial]:
    """Import the sections."""
    from gpu import networks, peers, rest, roofline

    return {
        "device": partial(roofline.device),
        "training": partial(networks.training),
        "pytorch": partial(peers.pytorch, python=python),
        "padding": partial(networks.padding),
        "largest_batch": partial(networks.largest_batch),
        "upscaling": partial(rest.upscaling),
        "gaussian_process": partial(rest.gaussian_process),
        "linerwkv": partial(rest.linerwkv),
        "paper": partial(networks.paper),
    }


def outcome(
    section: Callable, sizes: Sizes, seconds: float, earlier: Any, connection: Connection
) -> str | None:
    """Send all rows of a section; return why some are missing, or None."""
    from gpu.timing import Clock

    clock = Clock(seconds)
    try:
        for row in section(sizes, clock, earlier):
            connection.send(("row", row))
    except NotHereError as why:
        return f"not measured: {why}"
    except ModuleNotFoundError as error:
        return f"not measured: the Python package {error.name!r} is not installed"
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return f"failed: {type(error).__name__}: {' '.join(str(error).split())}"[:500]
    return f"time was up before: {'; '.join(clock.cuts)}" if clock.cuts else None


def machine() -> dict[str, Any]:
    """Describe device, driver and versions."""
    import jax

    from spatial_prediction import native
    from spatial_prediction.provenance import provenance

    device = jax.devices()[0]
    memory = device.memory_stats() if device.platform != "cpu" else None
    return {
        "device": device.device_kind,
        "backend": device.client.platform_version,
        "driver": driver(),
        "memory_bytes": memory.get("bytes_limit") if memory else None,
        "compiled_kernels": native.available(),
        "provenance": provenance(),
    }


def driver() -> str | None:
    """Version of NVIDIA's driver; None where there is none."""
    if not (command := shutil.which("nvidia-smi")):
        return None
    query = [command, "--query-gpu=driver_version", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout.split(
            "\n"
        )[0]
    return None
