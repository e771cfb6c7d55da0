"""Downloading archives: resumed, retried, verified, and under their name only when whole."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from spatial_prediction.errors import RetrievalError
from spatial_prediction.retrieval.web import (
    BLOCK,
    PATIENCE,
    Patience,
    RangeRefusedError,
    TransientError,
    blocks,
    response_to,
    with_retries,
)

DIGEST_BITS = {"md5": 128, "sha256": 256, "sha512": 512}
"""The checksum algorithms that a catalogue may use, and the length of their checksums."""

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Archive:
    """A file of the published data set, as its catalogue describes it.

    Attributes:
        name: plain file name.
        size: bytes.
        algorithm: ``"md5"``, ``"sha256"`` or ``"sha512"``.
        checksum: hexadecimal digits, lower case.
        url: where the bytes are.

    Raises:
        RetrievalError: A value cannot be trusted: above all, a name that would lead outside a folder.
    """

    name: str
    size: int
    algorithm: str
    checksum: str
    url: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", self.name):
            raise RetrievalError(
                f"{self.name!r} is not a plain file name; report it to the data set's makers"
            )
        if self.size < 1:
            raise RetrievalError(
                f"{self.name}: size {self.size} is not possible; report it to the data set's makers"
            )
        if self.algorithm not in DIGEST_BITS:
            raise RetrievalError(
                f"{self.name}: checksum algorithm {self.algorithm!r} is not known, "
                f"only {', '.join(DIGEST_BITS)}; update spatial_prediction"
            )
        if not re.fullmatch(rf"[0-9a-f]{{{DIGEST_BITS[self.algorithm] // 4}}}", self.checksum):
            raise RetrievalError(
                f"{self.name}: {self.checksum!r} is not a checksum by {self.algorithm}; "
                "report it to the data set's makers"
            )


def download(
    archive: Archive,
    directory: str | Path,
    *,
    patience: Patience = PATIENCE,
    advance: Callable[[int], None] = lambda _: None,
) -> Path:
    """Fetch an archive into a folder, unless it lies there already.

    The bytes go to ``NAME.partial`` and get their name when size and checksum are right. A partial file,
    of an earlier attempt or of an earlier process, is continued where the server knows byte ranges.

    Args:
        archive: what to fetch.
        directory: the folder, made if needed. One process at a time may fetch an archive into it.
        patience: time limits and retries.
        advance: told how many bytes more are here; fewer than none when some are thrown away.

    Returns:
        The archive's path, verified.

    Raises:
        RetrievalError: the archive cannot be had; the message names address, reason and remedy.
    """
    target = Path(directory) / archive.name
    partial = target.with_name(f"{archive.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_whole(target, archive):
            advance(archive.size)
            return target
        _check_room(archive, partial)
        with requests.Session() as session:
            fetch = _Fetch(archive, partial, session, patience, advance)
            with_retries(fetch.attempt, address=archive.url, patience=patience)
        os.replace(partial, target)
    except OSError as error:
        raise RetrievalError(
            f"{target}: cannot be written ({error.strerror or error}); make room or choose another folder"
        ) from error
    return target


def is_whole(path: Path, archive: Archive) -> bool:
    """Whether a file has the archive's size and checksum."""
    if not path.is_file() or path.stat().st_size != archive.size:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, archive.algorithm).hexdigest() == archive.checksum


def _check_room(archive: Archive, partial: Path) -> None:
    missing = archive.size - (partial.stat().st_size if partial.exists() else 0)
    free = shutil.disk_usage(partial.parent).free
    if missing > free:
        raise RetrievalError(
            f"{archive.url}: {missing} bytes are missing, and {partial.parent} has {free} left; "
            "make room or choose another folder"
        )


class _WrongBytesError(TransientError):
    """What was received is not the file; it is no use to continue it."""


class _Fetch:
    """One archive on its way: the partial file, its running checksum, and how far it ever got."""

    def __init__(
        self,
        archive: Archive,
        partial: Path,
        session: requests.Session,
        patience: Patience,
        advance: Callable[[int], None],
    ):
        self.archive, self.partial, self.session, self.patience = archive, partial, session, patience
        self._advance = advance
        self._size = 0
        self._forget()
        if partial.exists():
            with open(partial, "rb") as file:
                while block := file.read(BLOCK):
                    self._count(block)
        self._furthest = self._size

    def attempt(self) -> None:
        """Fetch what is missing and verify the whole; wrong bytes are removed."""
        try:
            if self._size < self.archive.size:
                self._fetch_rest()
            self._check()
        except (RangeRefusedError, _WrongBytesError):
            self.partial.unlink(missing_ok=True)
            self._forget()
            raise
        except TransientError as fault:
            # Broken off again and again, a large archive still gets here piece by piece.
            fault.brought_something = self._size >= self._furthest + MEBIBYTE
            self._furthest = max(self._furthest, self._size)
            raise

    def _forget(self) -> None:
        self._advance(-self._size)
        self._size = 0
        self._digest = hashlib.new(self.archive.algorithm, usedforsecurity=False)

    def _count(self, block: bytes) -> None:
        self._size += len(block)
        self._digest.update(block)
        self._advance(len(block))

    def _fetch_rest(self) -> None:
        archive = self.archive
        # An encoded body would have another length and other bytes than the file.
        headers = {"Accept-Encoding": "identity"}
        if self._size:
            headers["Range"] = f"bytes={self._size}-"
        with response_to(
            archive.url, session=self.session, patience=self.patience, headers=headers
        ) as response:
            if not _continues_at(response, self._size):
                self._forget()
            _check_declared_length(response, archive.size - self._size)
            with open(self.partial, "ab" if self._size else "wb") as file:
                for block in blocks(response, self.patience):
                    file.write(block)
                    self._count(block)
                    if self._size > archive.size:
                        raise _WrongBytesError(
                            f"the server sends more than the {archive.size} bytes of the catalogue"
                        )
                file.flush()
                os.fsync(file.fileno())

    def _check(self) -> None:
        archive, size = self.archive, self._size
        if size < archive.size:
            raise TransientError(f"the server sent {size} of {archive.size} bytes")
        checksum = self._digest.hexdigest()
        if (size, checksum) != (archive.size, archive.checksum):
            raise _WrongBytesError(
                f"received {size} bytes with {archive.algorithm} {checksum}, but by the catalogue it is "
                f"{archive.size} bytes with {archive.checksum}"
            )


def _continues_at(response: requests.Response, offset: int) -> bool:
    content_range = response.headers.get("Content-Range", "")
    return response.status_code == 206 and content_range.startswith(f"bytes {offset}-")


def _check_declared_length(response: requests.Response, expected: int) -> None:
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) != expected:
        raise _WrongBytesError(
            f"the server offers {declared} bytes where {expected} are missing by the catalogue"
        )
