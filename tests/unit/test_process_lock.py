"""Whether processes are at work is known from files, however they ended."""

import os
import signal
import subprocess
import sys
import time

import pytest

from spatial_prediction import process_lock

HOLDER = """
import sys, time
from spatial_prediction import process_lock
process_lock.hold(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def holder(path, seconds=60):
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert holding.stdout.readline() == "held\n"
    return holding


def test_a_file_is_held_as_long_as_any_process_that_took_it_lives(tmp_path):
    path = tmp_path / "new" / "a.lock"
    assert process_lock.is_held(path) is None
    with holder(path) as first, holder(path) as second:
        assert process_lock.is_held(path) is True
        first.kill()
        first.wait()
        assert process_lock.is_held(path) is True
        second.send_signal(signal.SIGTERM)
    assert process_lock.is_held(path) is False


def test_waiting_ends_with_the_last_holder(tmp_path):
    path = tmp_path / "a.lock"
    with holder(path, seconds=1.5) as first:
        begun = time.monotonic()
        process_lock.wait_until_free(path)
        assert time.monotonic() - begun > 0.5
        assert first.wait(timeout=10) == 0
    process_lock.wait_until_free(path)


def test_programs_that_a_holder_starts_do_not_hold(tmp_path):
    path = tmp_path / "a.lock"
    code = HOLDER.replace(
        "time.sleep(float(sys.argv[2]))", "import subprocess; subprocess.Popen(['sleep', '5'])"
    )
    subprocess.run([sys.executable, "-c", code, str(path), "0"], check=True, stdout=subprocess.DEVNULL)
    assert process_lock.is_held(path) is False


def test_a_file_of_another_machine_tells_nothing_once_it_is_free(tmp_path, monkeypatch):
    path = tmp_path / "a.lock"
    with holder(path) as holding:
        monkeypatch.setattr(process_lock.platform, "node", lambda: "another machine")
        assert process_lock.is_held(path) is True
        holding.kill()
    assert process_lock.is_held(path) is None


def test_where_there_are_no_locks_nothing_is_held_and_nothing_fails(tmp_path, monkeypatch):
    def without_locks(file, operation):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(process_lock.fcntl, "flock", without_locks)
    process_lock.hold(tmp_path / "a.lock")
    assert process_lock.is_held(tmp_path / "a.lock") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_no_fault(tmp_path):
    tmp_path.chmod(0o500)
    process_lock.hold(tmp_path / "a.lock")
    assert process_lock.is_held(tmp_path / "a.lock") is None
