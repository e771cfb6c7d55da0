"""Progress is shown without changing what passes through."""

import io
import logging

import pytest

from spatial_prediction import progress as progress_module
from spatial_prediction.progress import progress


class Clock:
    """Seconds that pass only when a test says so."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


@pytest.fixture
def batch_log(monkeypatch, caplog):
    """What is logged where standard error is no terminal."""
    monkeypatch.setattr(progress_module.sys, "stderr", io.StringIO())
    caplog.set_level(logging.INFO, logger="spatial_prediction.progress")
    return caplog


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_items_pass_in_order_and_unchanged(monkeypatch, stream):
    monkeypatch.setattr(progress_module.sys, "stderr", stream())
    items = [object() for _ in range(5)]
    assert list(progress(iter(items), total=5, description="scenes")) == items


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_items_are_taken_one_at_a_time(monkeypatch, stream):
    monkeypatch.setattr(progress_module.sys, "stderr", stream())
    taken = []
    items = (taken.append(index) or index for index in range(5))
    passing = progress(items, total=5, description="scenes")
    assert taken == []
    next(passing)
    assert taken == [0]
    passing.close()


def test_a_batch_job_logs_a_line_now_and_then_with_the_time_that_is_left(batch_log, clock):
    for _ in progress(range(8), total=8, description="train", unit="steps", seconds_between_lines=10.0):
        clock.now += 4.0
    assert batch_log.messages == [
        "train: 3 of 8 steps, about 20 s left",
        "train: 6 of 8 steps, about 8 s left",
        "train: 8 of 8 steps in 32.0 s",
    ]


def test_a_slow_first_step_does_not_make_the_others_look_slow(batch_log, clock):
    for step in progress(range(101), total=101, description="train", unit="steps"):
        clock.now += 1.0 if step else 60.0
    assert batch_log.messages[0] == "train: 2 of 101 steps, about 99 s left"
    assert batch_log.messages[-1] == "train: 101 of 101 steps in 160.0 s"


def test_a_quick_batch_job_logs_one_line(batch_log, clock):
    for _ in progress(range(1000), total=1000, description="train", unit="steps"):
        clock.now += 0.005
    assert batch_log.messages == ["train: 1000 of 1000 steps in 5.0 s"]


def test_nothing_to_do_is_told_too(batch_log, clock):
    assert list(progress([], total=0, description="train")) == []
    assert batch_log.messages == ["train: 0 of 0 it in 0.0 s"]


def test_a_terminal_gets_a_bar_and_no_lines(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(progress_module.sys, "stderr", terminal)
    caplog.set_level(logging.INFO)
    assert list(progress(range(3), total=3, description="scenes", unit="scene")) == [0, 1, 2]
    assert "scenes: 100%" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()
    assert caplog.messages == []


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_an_error_on_the_way_is_passed_on(monkeypatch, stream):
    monkeypatch.setattr(progress_module.sys, "stderr", stream())

    def failing():
        yield 0
        raise OSError("disk full")

    passing = progress(failing(), total=2, description="scenes")
    assert next(passing) == 0
    with pytest.raises(OSError, match="disk full"):
        next(passing)
