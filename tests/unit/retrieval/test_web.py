import email.utils

import pytest
import requests

from spatial_prediction.errors import RetrievalError
from spatial_prediction.retrieval import web as module
from spatial_prediction.retrieval.web import Patience, TransientError, get_bytes, get_json, with_retries


@pytest.fixture
def waits(monkeypatch):
    """Seconds that were waited, all at once."""
    waits = []
    monkeypatch.setattr(module.time, "sleep", waits.append)
    return waits


def test_the_server_may_ask_for_a_longer_wait(waits):
    def attempt():
        if len(waits) < 2:
            raise TransientError("busy", retry_after=[7.0, 1e9][len(waits)])
        return "done"

    assert with_retries(attempt, address="x", patience=Patience()) == "done"
    assert waits == [7.0, module.LONGEST_RETRY_AFTER]


@pytest.mark.parametrize("skew", [-86_400.0, 0.0, 86_400.0])
def test_a_date_to_come_back_at_is_read_by_the_clock_of_the_server(server, waits, skew):
    now = 1.8e9 + skew

    def busy(handler):
        handler.date_time_string = lambda *_: email.utils.formatdate(now, usegmt=True)
        handler.answer(429, b"", {"Retry-After": email.utils.formatdate(now + 90, usegmt=True)})

    server.faults = [busy]
    with requests.Session() as session, pytest.raises(RetrievalError, match="404"):
        get_json(f"{server.address}/nothing", session=session, patience=Patience())
    assert waits == [90.0]


@pytest.mark.parametrize("asked", ["soon", "-5", "", "Wed, 99 Foo 2026"])
def test_what_a_server_asks_in_no_known_form_is_not_heard(server, waits, asked):
    server.faults, server.retry_after = [503], asked
    with requests.Session() as session, pytest.raises(RetrievalError, match="404"):
        get_json(f"{server.address}/nothing", session=session, patience=Patience())
    assert len(waits) == 1
    assert waits[0] <= 1.0


@pytest.mark.parametrize("faults", [[], [503], ["drop", "drop"]])
def test_small_files_come_whole(published, patience, faults):
    name, content = next(iter(published.files.items()))
    published.faults = list(faults)
    assert get_bytes(f"{published.mirror}/{name}", largest=len(content), patience=patience) == content
    assert len(published.log) == len(faults) + 1


def test_small_files_are_no_larger_than_expected(published, patience):
    name, content = next(iter(published.files.items()))
    address = f"{published.mirror}/{name}"
    with pytest.raises(RetrievalError, match=rf"{name}: the server sends more than {len(content) - 1} bytes"):
        get_bytes(address, largest=len(content) - 1, patience=patience)


def test_small_files_that_never_come_whole_are_given_up(published, patience):
    name, content = next(iter(published.files.items()))
    published.faults = ["drop"] * patience.attempts
    with pytest.raises(RetrievalError, match=f"{name}: .* after {patience.attempts} attempts"):
        get_bytes(f"{published.mirror}/{name}", largest=len(content), patience=patience)


def test_waits_double_with_jitter_up_to_the_longest():
    patience = Patience(first_wait=1.0, longest_wait=10.0)
    for failures, full in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0)]:
        waits = [patience.wait(failures) for _ in range(50)]
        assert full / 2 <= min(waits) < max(waits) <= full


def test_failures_are_counted_from_the_last_that_brought_something(waits):
    faults = [TransientError(str(index)) for index in range(9)]
    faults[2].brought_something = True

    def attempt():
        raise faults[len(waits)]

    with pytest.raises(RetrievalError, match="x: 4, after 3 attempts"):
        with_retries(attempt, address="x", patience=Patience(attempts=3))


def test_a_secure_address_may_not_lead_to_an_insecure_one(server, monkeypatch):
    monkeypatch.setattr(
        requests.Session,
        "get",
        lambda self, address, **_: requests.get(address.replace("https:", "http:"), timeout=5, stream=True),
    )
    address = server.address.replace("http:", "https:")
    with requests.Session() as session, pytest.raises(RetrievalError, match="which is not encrypted"):
        get_json(address, session=session, patience=Patience())
