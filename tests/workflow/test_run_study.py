"""What ``make study`` runs: a report of what is up to date, and nothing left of a run that was killed."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml
from tests.workflow.study import OVERLAY, MadeStudy, merged

from spatial_prediction import process_lock

pytestmark = pytest.mark.slow

SMALL = {
    "results": "my results & more",
    "resources": "my resources",
    "presets": ["zero-repl"],
    "seeds": [0],
    "evaluation": {"nmse_presets": []},
    "seams": {"presets": [], "strategy_presets": [], "transfer_presets": []},
    "timing": {"presets": []},
    "figures": {"formats": ["png"]},
}
REPORT = "my results & more/report.html"


@pytest.fixture
def study(tmp_path):
    """A study of which nothing has been made, with spaces in the names of all its places."""
    study = MadeStudy(tmp_path / "a study")
    study.configure(**SMALL)
    (study.folder / "overlay.yaml").rename(study.folder / "my overlay.yaml")
    return study


def run(study, *arguments):
    return study.run_study(
        "--configfile", "my overlay.yaml", "--", "--cores", "2", *arguments, path=study.stand_in()
    )


def test_the_report_is_made_once_of_a_whole_study_and_never_of_a_part(study):
    report = study.folder / REPORT
    for part in (["--until", "build_arrays"], ["--dry-run"], ["--unlock"], ["my resources/arrays/train.npy"]):
        ended = run(study, *part)
        assert ended.returncode == 0, ended.stdout
        assert not report.exists()
    assert "No report: parts of the study are missing or out of date" in ended.stdout
    ended = run(study)
    assert ended.returncode == 0, ended.stdout
    made = report.stat().st_mtime_ns
    ended = run(study)
    assert ended.returncode == 0, ended.stdout
    assert "Nothing to be done" in ended.stdout
    assert report.stat().st_mtime_ns == made

    changed = merged(merged(OVERLAY, SMALL), {"training": {"steps": 300}})
    (study.folder / "my overlay.yaml").write_text(yaml.safe_dump(changed))
    ended = run(study, "--until", "build_arrays")
    assert ended.returncode == 0, ended.stdout
    assert "missing or out of date" in ended.stdout
    assert "report.html shows an earlier state" in ended.stdout
    assert report.stat().st_mtime_ns == made
    ended = run(study)
    assert ended.returncode == 0, ended.stdout
    assert report.stat().st_mtime_ns > made
    assert {path.name for path in study.folder.iterdir() if path.name.startswith("my")} == {
        "my overlay.yaml",
        "my resources",
        "my results & more",
    }


def locked(study):
    locks = study.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    for kind in ("input", "output"):
        (locks / f"0.{kind}.lock").write_text("my resources/arrays/train.npy\n")
    return locks


HOLDER = """
import sys, time
from spatial_prediction import process_lock
process_lock.hold(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def holder(study, path, seconds):
    """A process that holds a lock for so long."""
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(study.folder / path), str(seconds)],
        env=os.environ | {"PYTHONPATH": str(study.folder / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holding.stdout.readline() == "held\n"
    return holding


def test_a_lock_left_by_a_snakemake_that_was_killed_is_told_and_removed(study):
    locks = locked(study)
    with holder(study, process_lock.RUNNING, 60) as killed:
        killed.kill()
    ended = run(study, "--until", "build_arrays")
    assert ended.returncode == 0, ended.stdout
    assert (
        f"Removing a lock that was left by a run that was killed: {locks.relative_to(study.folder)}"
        in ended.stdout
    )
    assert (study.folder / "my resources/arrays/train.npy").exists()


def test_a_lock_of_a_snakemake_at_work_stays(study):
    locks = locked(study)
    with holder(study, process_lock.RUNNING, 100) as running:
        ended = run(study, "--until", "build_arrays")
        running.kill()
    assert ended.returncode == 1
    assert "LockException" in ended.stdout
    assert "Removing" not in ended.stdout
    assert len(list(locks.iterdir())) == 2


@pytest.mark.parametrize("of", ["nobody known", "another machine"])
def test_a_lock_of_whom_it_cannot_be_known_is_left_with_the_command_that_removes_it(study, of):
    locked(study)
    if of == "another machine":
        (study.folder / process_lock.RUNNING).write_text("elsewhere\n")
    ended = run(study, "--until", "build_arrays")
    assert ended.returncode == 1
    assert len(ended.stdout.splitlines()) == 1
    assert ended.stdout.endswith("remove it: make study ARGS=--unlock\n")
    assert run(study, "--unlock").returncode == 0
    assert run(study, "--until", "build_arrays").returncode == 0


def test_orphaned_jobs_of_a_snakemake_that_was_killed_are_waited_for(study):
    with holder(study, process_lock.RUNNING, 60) as killed:
        killed.kill()
    with holder(study, process_lock.WORKING, 6) as orphan:
        ended = run(study, "--until", "build_arrays")
        assert orphan.poll() == 0
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.startswith(
        "Jobs of a run that was killed are still at work; waiting for them to end\n"
    )


@pytest.mark.parametrize("plan", [[], ["--plan"]])
def test_an_overlay_that_is_not_there_is_told_in_one_line(study, plan):
    ended = study.run_study(*plan, "--configfile", "nope.yaml")
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        "error: nope.yaml: no such file; give the name of an overlay, such as config/real_scenes.yaml"
    ]


def test_an_overlay_that_cannot_be_read_is_told_in_one_line(study):
    (study.folder / "my overlay.yaml").write_bytes(b"\xff")
    ended = study.run_study("--plan", "--configfile", "my overlay.yaml")
    assert ended.returncode == 1
    (line,) = ended.stdout.splitlines()
    assert line.startswith("error: my overlay.yaml: cannot be read ('utf-8' codec can't decode")
    assert line.endswith("; an overlay names keys of config.yaml, such as config/real_scenes.yaml")


def test_a_study_that_does_not_exist_is_refused_with_those_that_do(study):
    ended = study.run_study("--plan", "--study", "nope")
    assert ended.returncode == 2
    assert "invalid choice: 'nope' (choose from" in ended.stdout
    assert "super_resolution" in ended.stdout


def test_all_studies_are_asked_for_by_one_word(study):
    (study.folder / "one.yaml").write_text("seeds: [0]\n")
    one, every = (
        study.run_study("--plan", *named, "--configfile", "one.yaml") for named in ([], ["--study", "all"])
    )
    assert every.returncode == one.returncode == 0
    rules, of_all = (set(re.findall(r"^\w+(?= +\d+$)", each.stdout, re.M)) for each in (one, every))
    assert rules < of_all
    assert {"train_model", "train_process"} <= of_all


def test_several_overlays_are_given_with_spaces_between_them(study):
    (study.folder / "one.yaml").write_text("seeds: [0, 1, 2, 3, 4]\n")
    (study.folder / "two.yaml").write_text(
        "presets: [repl]\nevaluation: {nmse_presets: []}\ntiming: {presets: []}\n"
    )
    ended = study.run_study("--plan", "--configfile", "one.yaml two.yaml")
    assert ended.returncode == 0, ended.stdout
    assert re.search(r"^train_model +5$", ended.stdout, re.MULTILINE), ended.stdout


SLOW = """#!/bin/sh
exec "{python}" -c "
import sys, time
sys.path.insert(0, 'src')
from spatial_prediction import command
command.run(lambda arguments: time.sleep({seconds}))
"
"""


@contextlib.contextmanager
def at_work(study, seconds):
    """The process that runs a study, in a session of its own, once a job of so many seconds is at work.

    One job at a time: of a second one, Python may not have started far enough to end in one line.
    """
    tools = study.stand_in()
    (tools / "python").write_text(SLOW.format(python=sys.executable, seconds=seconds))
    call = study._call((), tools)
    command = "workflow/run_study.py", "--configfile", "my overlay.yaml", "--", "--cores", "1"
    call["args"] = [sys.executable, *command]
    with subprocess.Popen(**call, stdout=subprocess.PIPE, start_new_session=True) as running:
        try:
            end = time.monotonic() + 60
            while process_lock.is_held(study.folder / process_lock.WORKING) is not True:
                assert time.monotonic() < end
                time.sleep(0.1)
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def test_ctrl_c_ends_a_study_without_a_traceback(study):
    with at_work(study, seconds=60) as running:
        os.killpg(running.pid, signal.SIGINT)
        printed, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in printed
    assert printed.splitlines()[-1] == "interrupted; make study goes on from here"


def test_a_request_to_end_is_passed_on_and_snakemake_is_waited_for(study):
    """SIGTERM reaches this program alone, and twice."""
    with at_work(study, seconds=5) as running:
        running.send_signal(signal.SIGTERM)
        time.sleep(1)
        running.send_signal(signal.SIGTERM)
        printed, _ = running.communicate(timeout=60)
        assert process_lock.is_held(study.folder / process_lock.RUNNING) is False
        assert process_lock.is_held(study.folder / process_lock.WORKING) is False
    assert running.returncode == 143
    assert "Traceback" not in printed
    assert "Will exit after finishing currently running jobs" in printed
    assert printed.splitlines()[-1] == "asked to end; make study goes on from here"
    assert not list(study.folder.glob(".snakemake/locks/*"))
