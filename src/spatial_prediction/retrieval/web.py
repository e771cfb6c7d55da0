"""Asking servers that may be slow, busy or broken: time limits, retries, faults sorted by their cure."""

import contextlib
import email.utils
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import urllib3

from spatial_prediction.errors import RetrievalError

logger = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")

BLOCK = 2**16
"""Most bytes read at once."""

TRANSIENT_STATUSES = {408, 425, 429, 500, 502, 503, 504}

LONGEST_RETRY_AFTER = 600.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, and how often to ask it again.

    Attributes:
        attempts: tries in a row without new data after which to give up, the first one included.
        first_wait: seconds before the second try; every further wait is twice as long, less a random part
            of up to a half, so that many clients do not come back at once.
        longest_wait: seconds that no wait exceeds, unless the server itself asks for more.
        connect_timeout: seconds for a connection to be made.
        read_timeout: seconds without a byte after which a connection is given up.
        slowest_rate: bytes a second; a connection slower than this for ``read_timeout`` is given up too.
    """

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    connect_timeout: float = 15.0
    read_timeout: float = 60.0
    slowest_rate: float = 1024.0

    def wait(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return min(self.longest_wait, self.first_wait * 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)


PATIENCE = Patience()


class TransientError(Exception):
    """A failure that another attempt may mend.

    Attributes:
        retry_after: seconds that the server asks to wait.
        brought_something: whether the attempt left more behind than any before it; then the count of failures
            begins anew.
    """

    def __init__(self, reason: str, retry_after: float = 0.0):
        super().__init__(reason)
        self.retry_after = min(retry_after, LONGEST_RETRY_AFTER)
        self.brought_something = False


class RangeRefusedError(TransientError):
    """The server has fewer bytes than are here already."""

    def __init__(self) -> None:
        super().__init__("the server does not have the rest of the file")


def get_json(
    address: str, *, session: requests.Session, patience: Patience, parameters: dict[str, str] | None = None
) -> Any:
    """Fetch a JSON document.

    Raises:
        RetrievalError: it cannot be had, or it is not JSON.
    """

    def attempt() -> Any:
        with response_to(address, session=session, patience=patience, parameters=parameters) as response:
            return response.json()

    return with_retries(attempt, address=address, patience=patience)


def get_bytes(address: str, *, largest: int, patience: Patience = PATIENCE) -> bytes:
    """Fetch a small file whole, whose checksum nobody states; ``download`` is for those that have one.

    Args:
        address: of the file.
        largest: bytes that it may have.
        patience: time limits and retries; each attempt begins anew.

    Raises:
        RetrievalError: it cannot be had, or is larger.
    """

    def attempt() -> bytes:
        # An encoded body would have other bytes than the file.
        headers = {"Accept-Encoding": "identity"}
        content = bytearray()
        with response_to(address, session=session, patience=patience, headers=headers) as response:
            for block in blocks(response, patience):
                content += block
                if len(content) > largest:
                    raise RetrievalError(
                        f"{address}: the server sends more than {largest} bytes; check the address"
                    )
        return bytes(content)

    with requests.Session() as session:
        return with_retries(attempt, address=address, patience=patience)


def with_retries(attempt: Callable[[], Outcome], *, address: str, patience: Patience) -> Outcome:
    """Call ``attempt`` until it does not raise a `TransientError`, with growing waits between.

    Raises:
        RetrievalError: so many attempts in a row brought nothing; the message gives the last one's reason.
    """
    failures = 0
    while True:
        try:
            return attempt()
        except TransientError as fault:
            failures = 1 if fault.brought_something else failures + 1
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

    Certificates are checked and the environment's proxies are used, as is the habit of ``requests``.

    Raises:
        TransientError: another attempt may help.
        RetrievalError: another attempt will not help.
    """
    try:
        with session.get(
            address,
            params=parameters,
            headers=headers,
            stream=True,
            timeout=(patience.connect_timeout, patience.read_timeout),
        ) as response:
            if address.startswith("https:") and not response.url.startswith("https:"):
                raise RetrievalError(
                    f"{address}: the server leads to {response.url}, which is not encrypted; "
                    "check the address"
                )
            _check_status(response)
            yield response
    except requests.RequestException as error:
        if _is_transient(error):
            raise TransientError(f"the connection failed ({_cause(error)})") from error
        raise RetrievalError(f"{address}: {error}; check the address, proxies and certificates") from error
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"the connection failed ({_cause(error)})") from error


def blocks(response: requests.Response, patience: Patience) -> Iterator[bytes]:
    """Give the body as it comes, so that no byte of a connection that breaks is lost.

    Raises:
        TransientError: the server sends, but too slowly.
    """
    started, received = time.monotonic(), 0
    while block := response.raw.read1(BLOCK):
        yield block
        received += len(block)
        if (elapsed := time.monotonic() - started) > patience.read_timeout:
            if received < patience.slowest_rate * elapsed:
                raise TransientError(f"the server sent only {received} bytes in {elapsed:.0f} s")
            started, received = time.monotonic(), 0


def _is_transient(error: requests.RequestException) -> bool:
    broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, broken) and "CERTIFICATE_VERIFY_FAILED" not in str(error)


def _cause(error: Exception) -> object:
    """Give the cause of an error, which urllib3 wraps in a message about retries that did not happen."""
    inner = error.args[0] if error.args else error
    return getattr(inner, "reason", inner)


def _check_status(response: requests.Response) -> None:
    status = f"the server answers {response.status_code} {response.reason}"
    if response.status_code in TRANSIENT_STATUSES:
        raise TransientError(status, retry_after=_retry_after(response))
    if response.status_code == 416:
        raise RangeRefusedError
    if response.status_code >= 400:
        raise RetrievalError(f"{response.url}: {status}; check the address, and whether access needs rights")


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to wait; a date is read by the server's own clock."""
    asked = response.headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked)
    try:
        until, now = (email.utils.parsedate_to_datetime(date) for date in (asked, response.headers["Date"]))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, KeyError):
        return 0.0
