import errno
import threading

import pytest

from spatial_prediction import background
from spatial_prediction.background import one_thread, stored_behind


def test_calls_are_made_in_order_by_one_thread_of_that_name():
    with one_thread("reader") as thread:
        names = [thread.submit(lambda: threading.current_thread().name) for _ in range(3)]
        found = {each.result() for each in names}
    assert len(found) == 1
    assert found.pop().startswith("reader")


def test_after_an_error_what_has_not_begun_is_dropped_and_the_thread_has_ended():
    begun, go = threading.Event(), threading.Event()

    def first():
        begun.set()
        go.wait(10)

    def fail():
        with one_thread("writer") as thread:
            calls.extend([thread.submit(first), thread.submit(lambda: None)])
            begun.wait(10)
            threading.Timer(0.1, go.set).start()
            raise KeyError("x")

    calls = []
    with pytest.raises(KeyError):
        fail()
    assert calls[0].done()
    assert calls[1].cancelled()
    assert not [each for each in threading.enumerate() if each.name.startswith("writer")]


def test_a_file_is_stored_while_it_grows(tmp_path, monkeypatch):
    stored = threading.Semaphore(0)
    monkeypatch.setattr(background.os, "fsync", lambda descriptor: stored.release())
    monkeypatch.setattr(background, "STORING_SECONDS", 0.001)
    path = tmp_path / "grows.bin"
    with stored_behind(path):
        path.write_bytes(b"some")
        assert stored.acquire(timeout=10)
        assert stored.acquire(timeout=10)
    assert not [each for each in threading.enumerate() if each.name.startswith("store_behind")]


def test_a_file_that_never_appears_is_not_waited_for(tmp_path):
    with stored_behind(tmp_path / "none"):
        pass


def test_what_the_disk_refused_meanwhile_is_raised_at_the_end(tmp_path, monkeypatch):
    asked = threading.Event()

    def fails(descriptor):
        asked.set()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(background.os, "fsync", fails)
    monkeypatch.setattr(background, "STORING_SECONDS", 0.001)
    path = tmp_path / "grows.bin"
    path.write_bytes(b"some")
    with pytest.raises(OSError, match="No space left"), stored_behind(path):
        assert asked.wait(10)


def test_the_error_of_the_block_comes_first(tmp_path):
    with pytest.raises(KeyError), stored_behind(tmp_path / "none"):
        raise KeyError("x")
