"""What every script and command has in common: a parser that teaches, plain logs, honest exit codes."""

import argparse
import dataclasses
import logging
import os
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TypeVar

from spatial_prediction import process_lock
from spatial_prediction.errors import SpatialPredictionError

Settings = TypeVar("Settings")

INTERRUPTED = 75
"""Exit code of a job that saved its state and may be started again (EX_TEMPFAIL of sysexits)."""

INTERRUPTED_BY_USER = "interrupted; start it again"
"""What a program says that Ctrl-C has ended."""

STOPPED = 130
"""Exit code of a program that Ctrl-C has ended (128 and the number of the signal, as shells have it)."""

JOB_ENVIRONMENT = {
    "GLIBC_TUNABLES": ":".join(
        f"glibc.malloc.{name}={value}"
        for name, value in {
            "hugetlb": 1,
            "mmap_threshold": 2**30,
            "trim_threshold": 2**34,
            "arena_max": 1,
            "tcache_count": 0,
        }.items()
    )
}
"""Of jobs that compute: the C library keeps the memory that a step gives back for the next, in large pages.

The system would have to clear it anew for every step. All threads share it, because those of a thread's own
go back to the system whatever is set, and the rests that aligned memory leaves are joined again, which they
are not where threads keep small pieces. Only Linux with glibc takes notice.
"""

RASTER_PACKAGES = ("rasterio", "rio_cogeo", "rioxarray", "pyproj", "dask")
"""What the extra ``rasters`` brings."""

COMPRESSION_PACKAGES = ("numba", "llvmlite", "zarr")
"""What the extra ``compression`` brings."""

PEER_PACKAGES = ("imagecodecs",)
"""What the extra ``peers`` brings."""


def take_job_environment() -> None:
    """Start this program anew in ``JOB_ENVIRONMENT``: the C library reads it when a process starts.

    What the user has set stays as it is.
    """
    missing = {name: value for name, value in JOB_ENVIRONMENT.items() if name not in os.environ}
    if missing and sys.platform == "linux":
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **missing})


def argument_parser(description: str) -> argparse.ArgumentParser:
    """Make a parser that shows ``description`` as written and every option's default."""

    class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
        pass

    return argparse.ArgumentParser(description=description, formatter_class=HelpFormatter, allow_abbrev=False)


def add_settings(parser: argparse.ArgumentParser, settings: type) -> None:
    """Add an option for each field of a settings class (a dataclass), as its docstring describes it.

    Fields without a default are required.
    """
    group = parser.add_argument_group(settings.__name__)
    described = _field_descriptions(settings)
    for field in dataclasses.fields(settings):
        group.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=field.type if isinstance(field.type, type) else str,
            required=(required := field.default is dataclasses.MISSING),
            default=None if required else field.default,
            help=described[field.name],
        )


def settings_from(options: argparse.Namespace, settings: type[Settings]) -> Settings:
    """Collect the fields of a settings class from parsed options."""
    names = [field.name for field in dataclasses.fields(settings)]  # type: ignore[arg-type]
    return settings(**{name: getattr(options, name) for name in names})


def _field_descriptions(settings: type) -> dict[str, str]:
    """Read ``name: what it is.`` lines from the Attributes section of the docstring."""
    described = {}
    for line in (settings.__doc__ or "").partition("Attributes:")[2].splitlines():
        name, colon, text = line.strip().partition(": ")
        if colon:
            described[name] = text.rstrip(".")
    return described


def run(main: Callable[[Sequence[str] | None], None]) -> None:
    """Run a script's ``main`` and end the process with an exit code that is true.

    Errors a user can mend, a package that is not installed among them, are printed as one message without a
    traceback (exit code 1), and so is Ctrl-C (130); anything else is a defect and keeps its traceback.
    """
    if working := os.environ.get(process_lock.WORKING_VARIABLE):
        process_lock.hold(working)
    logging.getLogger("jax").setLevel(logging.WARNING)  # it would mention every backend it doesn't find
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    try:
        main(None)
    except SpatialPredictionError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "spatial_prediction"):
            raise
        extra, purpose = "workflow", "the study"
        if package in RASTER_PACKAGES:
            extra, purpose = "rasters", "work with rasters"
        elif package in COMPRESSION_PACKAGES:
            extra, purpose = "compression", "compression"
        elif package in PEER_PACKAGES:
            extra, purpose = "peers", "the comparison with other codecs"
        print(
            f"error: the Python package {package!r} is not installed in {sys.prefix}; "
            f"this package's extra {extra!r} brings all that {purpose} needs (pip install '.[{extra}]')",
            file=sys.stderr,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        print(INTERRUPTED_BY_USER, file=sys.stderr)
        sys.exit(STOPPED)


def _tell_of_interruption_in_one_line(
    kind: type[BaseException], value: BaseException, trace: TracebackType | None
) -> None:
    """What Python does with an exception that nobody took, but for Ctrl-C."""
    if issubclass(kind, KeyboardInterrupt):
        print(INTERRUPTED_BY_USER, file=sys.stderr)
    else:
        sys.__excepthook__(kind, value, trace)


# Scripts import this first, and then JAX for a second, in which Ctrl-C is as likely as later.
sys.excepthook = _tell_of_interruption_in_one_line
