"""Files that are either complete or absent."""

import contextlib
import errno
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError, WriteError

_ROOM = "make room on its disk, or choose a folder on another"
_RIGHTS = "make its folder writable, or choose another"

REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: "make room in your quota, or choose a folder on another disk",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EEXIST: "move away what stands in its place, or choose another folder",
    errno.ENOTDIR: "move away the file that stands where a folder is needed, or choose another folder",
    errno.ENOENT: "its folder was removed meanwhile; make it again",
    errno.EISDIR: "move away the folder that stands in its place",
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""What helps against which error of the system."""


@contextlib.contextmanager
def write_errors_named(path: str | Path) -> Iterator[None]:
    """Turn any failure of the system to write ``path`` into an error that names it and the remedy.

    Errors that are about another file are left as they are.

    Raises:
        WriteError: the disk is full, the folder read-only, and so on.
    """
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        if not _is_about(error, Path(path)):
            raise
        raise write_error(path, error) from None


def write_error(path: str | Path, error: Exception) -> WriteError:
    """Make the error that names ``path`` and the remedy, whatever a writer raised."""
    number = getattr(error, "errno", None)
    reason = os.strerror(number) if number else " ".join(str(error).split())
    remedy = REMEDIES.get(number or 0, _ROOM)
    return WriteError(f"{path}: cannot be written ({reason}); {remedy}", number=number, reason=reason)


def _is_about(error: OSError, path: Path) -> bool:
    """Whether an error names no file, or ``path``, its temporary file, or a folder above."""
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        return False  # nothing was written: no fault of the disk
    if not isinstance(error.filename, (str, bytes)):
        return not isinstance(error, (ConnectionError, TimeoutError))
    named = Path(os.fsdecode(error.filename))
    temporary = named.parent == path.parent and named.name.startswith(f".{path.stem}.")
    return named == path or temporary or named in path.parents


@contextlib.contextmanager
def written_aside(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` only when the block succeeds.

    The parent folder is made where it does not exist. When the block raises, the temporary file is
    removed and whatever stood at ``path`` before is untouched. The temporary name keeps the suffix of
    ``path``, so that writers which go by the suffix behave.

    Raises:
        WriteError: the disk is full, the folder read-only, and so on.

    Example:
        ``with written_aside("table.csv") as temporary: frame.to_csv(temporary)``
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    with write_errors_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with open(temporary, "rb") as written:
                os.fsync(written.fileno())
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):  # what went wrong before matters more
                temporary.unlink()


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as indented JSON, complete or not at all."""
    with written_aside(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read one JSON document."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_object(path: str | Path, keys: Sequence[str] = ()) -> dict[str, Any]:
    """Read a JSON document that is one object with ``keys``; ``"train.sha256"`` is a key within a key.

    Raises:
        ConfigurationError: the file is missing, not such an object, or lacks a key.
    """
    try:
        found = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"{path}: cannot be read as JSON ({reason}); make it again with its rule"
        ) from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path}: is not a JSON object; make it again with its rule")
    missing = [key for key in keys if not _has(found, key.split("."))]
    if missing:
        raise ConfigurationError(f"{path}: key(s) {', '.join(missing)} missing; make it again with its rule")
    return found


def _has(found: Any, key: Sequence[str]) -> bool:
    """Whether nested objects have a nested key."""
    if not key:
        return True
    return isinstance(found, dict) and key[0] in found and _has(found[key[0]], key[1:])
