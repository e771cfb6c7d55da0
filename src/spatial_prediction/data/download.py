"""Downloading archives: resumed, retried, verified, and under their name only when whole."""

import contextlib
import hashlib
import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import requests

from spatial_prediction.errors import RetrievalError
from spatial_prediction.progress import progress

logger = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")

DIGEST_BITS = {"md5": 128, "sha256": 256, "sha512": 512}
"""The checksum algorithms that a catalogue may use, and the length of their checksums."""

MEBIBYTE = 2**20

BLOCK = 2**16
"""Bytes read at once; as many may be lost when a connection ends."""

TRANSIENT_STATUSES = {408, 425, 429, 500, 502, 503, 504}

LONGEST_RETRY_AFTER = 600.0


@dataclass(frozen=True)
class Archive:
    """A file of the published data set, as its catalogue describes it.

    Attributes:
        name: Plain file name.
        size: Bytes.
        algorithm: ``"md5"``, ``"sha256"`` or ``"sha512"``.
        checksum: Hexadecimal digits, lower case.
        url: Where the bytes are.

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


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, and how often to ask it again.

    Attributes:
        attempts: Tries in all.
        first_wait: Seconds before the second try; every further wait is twice as long, less a random part
            of up to a half, so that many clients do not come back at once.
        longest_wait: Seconds that no wait exceeds, unless the server itself asks for more.
        connect_timeout: Seconds for a connection to be made.
        read_timeout: Seconds without a byte after which a connection is given up.
    """

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    connect_timeout: float = 15.0
    read_timeout: float = 60.0

    def wait(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return min(self.longest_wait, self.first_wait * 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)


PATIENCE = Patience()


class TransientError(Exception):
    """A failure that another attempt may mend; ``retry_after`` is the wait in seconds the server asks for."""

    def __init__(self, reason: str, retry_after: float = 0.0):
        super().__init__(reason)
        self.retry_after = min(retry_after, LONGEST_RETRY_AFTER)


def download(
    archive: Archive,
    directory: str | Path,
    *,
    session: requests.Session | None = None,
    patience: Patience = PATIENCE,
) -> Path:
    """Fetch an archive into a folder, unless it lies there already.

    The bytes go to ``NAME.partial`` and get their name when size and checksum are right. A partial file,
    of an earlier attempt or of an earlier process, is continued where the server knows byte ranges.
    Certificates are checked and the environment's proxies are used, as is the habit of ``requests``.

    Args:
        archive: What to fetch.
        directory: The folder, made if needed.
        session: Used for all requests; by default one of its own.
        patience: Time limits and retries.

    Returns:
        The archive's path, verified.

    Raises:
        RetrievalError: The archive cannot be had; the message names address, reason and remedy.
    """
    target = Path(directory) / archive.name
    partial = target.with_name(f"{archive.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if _is_whole(target, archive):
            return target
        with opened_session(session) as session:
            with_retries(
                lambda: _attempt(archive, partial, session, patience), address=archive.url, patience=patience
            )
        os.replace(partial, target)
    except OSError as error:
        raise RetrievalError(
            f"{target}: cannot be written ({error.strerror or error}); make room or choose another folder"
        ) from error
    return target


@contextlib.contextmanager
def opened_session(session: requests.Session | None = None) -> Iterator[requests.Session]:
    """Give ``session``, or a new one that ends with the block."""
    if session is not None:
        yield session
        return
    with requests.Session() as session:
        yield session


def get_json(
    address: str, *, session: requests.Session, patience: Patience, parameters: dict[str, str] | None = None
) -> Any:
    """Fetch a JSON document.

    Raises:
        RetrievalError: It cannot be had, or it is not JSON.
    """

    def attempt() -> Any:
        with response_to(address, session=session, patience=patience, parameters=parameters) as response:
            return response.json()

    return with_retries(attempt, address=address, patience=patience)


def with_retries(attempt: Callable[[], Outcome], *, address: str, patience: Patience) -> Outcome:
    """Call ``attempt`` until it does not raise a `TransientError`, with growing waits between.

    Raises:
        RetrievalError: Every attempt failed; the message gives the last one's reason.
    """
    failures = 0
    while True:
        try:
            return attempt()
        except TransientError as fault:
            failures += 1
            if failures >= patience.attempts:
                raise RetrievalError(
                    f"{address}: {fault}, after {failures} attempts; check the network and the address, "
                    "or try again later"
                ) from fault
            wait = max(patience.wait(failures), fault.retry_after)
            logger.warning("%s: %s; next attempt in %.1f s", address, fault, wait)
            time.sleep(wait)


@contextlib.contextmanager
def response_to(
    address: str,
    *,
    session: requests.Session,
    patience: Patience,
    parameters: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Iterator[requests.Response]:
    """Open a streamed response; failures, also those while its body is read, are sorted by their cure.

    Raises:
        TransientError: Another attempt may help.
        RetrievalError: Another attempt will not help.
    """
    try:
        with session.get(
            address,
            params=parameters,
            headers=headers,
            stream=True,
            timeout=(patience.connect_timeout, patience.read_timeout),
        ) as response:
            _check_status(response)
            yield response
    except requests.RequestException as error:
        if _is_transient(error):
            raise TransientError(f"the connection failed ({_cause(error)})") from error
        raise RetrievalError(f"{address}: {error}; check the address, proxies and certificates") from error


def _is_transient(error: requests.RequestException) -> bool:
    broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, broken) and "CERTIFICATE_VERIFY_FAILED" not in str(error)


def _cause(error: requests.RequestException) -> object:
    """Give the failure inside an error of requests, which is wrapped in a tale of its own retries."""
    inner = error.args[0] if error.args else error
    return getattr(inner, "reason", inner)


def _check_status(response: requests.Response) -> None:
    status = f"the server answers {response.status_code} {response.reason}"
    if response.status_code in TRANSIENT_STATUSES:
        seconds = response.headers.get("Retry-After", "")
        raise TransientError(status, retry_after=float(seconds) if seconds.isdecimal() else 0.0)
    if response.status_code == 416:
        raise _RangeRefusedError
    if response.status_code >= 400:
        raise RetrievalError(f"{response.url}: {status}; check the address, and whether access needs rights")


class _RangeRefusedError(TransientError):
    """The server has fewer bytes than are here already."""

    def __init__(self) -> None:
        super().__init__("the server does not have the rest of the file")


def _attempt(archive: Archive, partial: Path, session: requests.Session, patience: Patience) -> None:
    """Fetch what is missing of the partial file and verify the whole; a file of wrong bytes is removed."""
    try:
        received = _Received(partial, archive.algorithm)
        if received.size < archive.size:
            _fetch_rest(archive, received, session, patience)
        received.check(archive)
    except (_RangeRefusedError, _WrongBytesError):
        partial.unlink(missing_ok=True)
        raise


class _WrongBytesError(TransientError):
    """What was received is not the file; it is no use to continue it."""


class _Received:
    """The bytes of an archive that are here, and their running checksum."""

    def __init__(self, path: Path, algorithm: str):
        self.path = path
        self.algorithm = algorithm
        self.forget()
        if path.exists():
            with open(path, "rb") as file:
                while block := file.read(BLOCK):
                    self.count(block)

    def forget(self) -> None:
        self.size = 0
        self.digest = hashlib.new(self.algorithm, usedforsecurity=False)

    def count(self, block: bytes) -> None:
        self.size += len(block)
        self.digest.update(block)

    def check(self, archive: Archive) -> None:
        if self.size < archive.size:
            raise TransientError(f"the server sent {self.size} of {archive.size} bytes")
        checksum = self.digest.hexdigest()
        if (self.size, checksum) != (archive.size, archive.checksum):
            raise _WrongBytesError(
                f"received {self.size} bytes with {self.algorithm} {checksum}, but by the catalogue it is "
                f"{archive.size} bytes with {archive.checksum}"
            )


def _fetch_rest(archive: Archive, received: _Received, session: requests.Session, patience: Patience) -> None:
    # An encoded body would have another length and other bytes than the file.
    headers = {"Accept-Encoding": "identity"}
    if received.size:
        headers["Range"] = f"bytes={received.size}-"
    with response_to(archive.url, session=session, patience=patience, headers=headers) as response:
        if not _continues_at(response, received.size):
            received.forget()
        _check_declared_length(response, archive.size - received.size)
        with open(received.path, "ab" if received.size else "wb") as file:
            mebibytes = archive.size // MEBIBYTE - received.size // MEBIBYTE
            signs = _receive(response, file, received, archive.size)
            for _ in progress(signs, total=mebibytes, description=archive.name, unit="MiB"):
                pass
            file.flush()
            os.fsync(file.fileno())


def _receive(response: requests.Response, file: BinaryIO, received: _Received, wanted: int) -> Iterator[None]:
    """Write the response's bytes, and give a sign of life for every MiB."""
    for block in response.iter_content(BLOCK):
        file.write(block)
        before = received.size
        received.count(block)
        if received.size > wanted:
            raise _WrongBytesError(f"the server sends more than the {wanted} bytes of the catalogue")
        if received.size // MEBIBYTE > before // MEBIBYTE:
            yield


def _continues_at(response: requests.Response, offset: int) -> bool:
    content_range = response.headers.get("Content-Range", "")
    return response.status_code == 206 and content_range.startswith(f"bytes {offset}-")


def _check_declared_length(response: requests.Response, expected: int) -> None:
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) != expected:
        raise _WrongBytesError(
            f"the server offers {declared} bytes where {expected} are missing by the catalogue"
        )


def _is_whole(path: Path, archive: Archive) -> bool:
    if not path.is_file() or path.stat().st_size != archive.size:
        return False
    return _Received(path, archive.algorithm).digest.hexdigest() == archive.checksum
