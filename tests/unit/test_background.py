import threading

import pytest

from spatial_prediction.background import one_thread


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
