"""What a run that was killed leaves behind, and that two runs do not write one output."""

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from spatial_prediction import process_lock
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.files import write_errors_named

logger = logging.getLogger(__name__)


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
