"""Reading ahead hides the time of reading and changes nothing else."""

import threading
import time

import numpy as np
import pytest

from spatial_prediction.training import reading_ahead


class Slow:
    """Batches that take a while, and note by which thread they were read."""

    def __init__(self, seconds=0.0):
        self.seconds, self.threads = seconds, set()

    def __getitem__(self, step):
        time.sleep(self.seconds)
        self.threads.add(threading.current_thread().name)
        if step == 5:
            raise OSError("the disk is gone")
        return np.full((2, 3), step, np.int16)

    def draw(self, step):
        return np.array([step])


def test_batches_are_those_of_their_steps_in_any_order():
    with reading_ahead([Slow()]) as (batches,):
        for step in (0, 1, 2, 4, 2, 0, 1, 10):
            assert batches[step].tolist() == [[step] * 3] * 2
        assert batches.draw(7).tolist() == [7]


def test_another_thread_reads_and_ends_with_the_block():
    slow = Slow()
    with reading_ahead([slow]) as (batches,):
        batches[0]
    assert all(name.startswith("read_ahead") for name in slow.threads)
    assert not any(thread.name.startswith("read_ahead") for thread in threading.enumerate())


def test_a_reader_that_is_faster_than_the_steps_is_not_waited_for():
    with reading_ahead([Slow(0.02)]) as (batches,):
        batches[10]
        waited = batches.waited_seconds
        for step in range(11, 16):
            time.sleep(0.1)
            batches[step]
        assert batches.waited_seconds - waited < 0.05


def test_an_error_of_reading_comes_when_its_batch_is_asked_for():
    with reading_ahead([Slow()]) as (batches,):
        batches[4]
        with pytest.raises(OSError, match="the disk is gone"):
            batches[5]
