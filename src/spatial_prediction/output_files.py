"""Outputs of commands: what they may replace, that one process writes them, what a killed one leaves."""

import contextlib
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from spatial_prediction import process_lock
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.files import write_errors_named

logger = logging.getLogger(__name__)


def check_output(target: Path, inputs: Mapping[str, Path], *, overwrite: bool) -> None:
    """Refuse an output that would replace what the user did not mean.

    Args:
        target: the file to be written.
        inputs: files that are read meanwhile, by what messages call them.
        overwrite: whether a file that stands there may be replaced.

    Raises:
        ConfigurationError: ``target`` is one of the inputs or a folder, or exists and may not be replaced.
    """
    for name, path in inputs.items():
        if target.exists() and path.exists() and os.path.samefile(target, path):
            raise ConfigurationError(f"{target}: is the {name} itself; choose another output")
    if target.is_dir():
        raise ConfigurationError(f"{target}: is a folder; name a file in it")
    if target.exists() and not overwrite:
        raise ConfigurationError(
            f"{target}: exists; choose another output, or replace it with --overwrite (overwrite=True)"
        )


@contextlib.contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Be the only process that writes ``path``, and remove temporary files of earlier ones that were killed.

    Raises:
        ConfigurationError: another process is writing it.
        WriteError: its folder cannot be written.
    """
    with contextlib.ExitStack() as held:
        with write_errors_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_name(f".{path.name}.lock")
            alone = held.enter_context(process_lock.held_alone(lock))
        if not alone:
            raise ConfigurationError(
                f"{path}: another process is writing it; wait for that, or choose another output"
            )
        for left in unfinished(path):
            logger.info("%s: removed, the rest of an earlier run that was killed", left)
            left.unlink(missing_ok=True)
        yield


def unfinished(path: Path) -> list[Path]:
    """Give the temporary files that ``files.written_aside`` and GDAL have begun for ``path``."""
    begun = rf"\.{re.escape(path.stem)}\.[0-9a-f]{{8}}\.partial"
    pattern = re.compile(rf"{begun}(\.pixels\.tif|{re.escape(path.suffix)}(\..*)?)")
    return sorted(each for each in path.parent.glob(".*.partial*") if pattern.fullmatch(each.name))
