"""Scripts teach by their help and end with an exit code that tells the truth."""

import argparse
import dataclasses
import os
import re
import subprocess
import sys

import pytest

from spatial_prediction import command, errors
from spatial_prediction.command import INTERRUPTED, add_settings, argument_parser, settings_from
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset
from spatial_prediction.training_settings import TrainingSettings

SCRIPT = """
import logging, sys
from spatial_prediction import command, errors

def main(arguments=None):
    logging.getLogger("script").info("begun")
    {what_happens}

command.run(main)
"""


def script(what_happens):
    source = SCRIPT.format(what_happens=what_happens)
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60)


MENDABLE = [
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.SpatialPredictionError)
]


def test_a_script_that_succeeds_ends_with_zero_and_logs_to_standard_error():
    ended = script("print('result')")
    assert ended.returncode == 0
    assert ended.stdout == "result\n"
    assert ended.stderr.endswith(" begun\n")


def test_an_error_that_a_user_can_mend_is_told_in_one_line_without_a_traceback():
    ended = script("raise errors.SceneError('000007.nc: no such file; check the folder')")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[1:] == ["error: 000007.nc: no such file; check the folder"]


@pytest.mark.parametrize("kind", MENDABLE)
def test_every_kind_of_our_errors_is_told_that_way(kind, capsys, monkeypatch):
    from spatial_prediction import command

    monkeypatch.setattr(command.logging, "basicConfig", lambda **_: None)

    def main(arguments):
        raise getattr(errors, kind)("a message")

    with pytest.raises(SystemExit) as end:
        command.run(main)
    assert end.value.code == 1
    assert capsys.readouterr().err == "error: a message\n"


def test_a_package_that_is_missing_is_told_in_one_line_with_the_extra_that_brings_it():
    ended = script("sys.modules['yaml'] = None; import yaml")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()[1:]
    assert line.startswith("error: the Python package 'yaml' is not installed in ")
    assert "'.[workflow]'" in line


def test_a_missing_module_of_our_own_is_a_defect():
    ended = script("import spatial_prediction.nowhere")
    assert ended.returncode == 1
    assert "Traceback (most recent call last)" in ended.stderr


def test_a_defect_keeps_its_traceback():
    ended = script("raise ZeroDivisionError('a defect')")
    assert ended.returncode == 1
    assert "Traceback (most recent call last)" in ended.stderr
    assert ended.stderr.endswith("ZeroDivisionError: a defect\n")


def test_an_exit_code_of_the_script_itself_is_kept():
    ended = script("sys.exit(command.INTERRUPTED)")
    assert ended.returncode == INTERRUPTED == 75
    assert "error" not in ended.stderr


def test_the_help_shows_the_description_as_written_and_every_default():
    parser = argument_parser("What it does.\n\n  an example   with spaces")
    parser.add_argument("--size", type=int, default=512, help="rows and columns")
    told = parser.format_help()
    assert "What it does.\n\n  an example   with spaces" in told
    assert "rows and columns (default: 512)" in told


def test_an_abbreviated_option_is_refused(capsys):
    parser = argument_parser("A script.")
    parser.add_argument("--learning-rate", type=float)
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--learning", "0.1"])
    assert end.value.code == 2
    assert "--learning" in capsys.readouterr().err


@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(hidden_channels=3, blocks=2, upscale_factor=5),
        TrainingSettings(
            *(7, 3, 50, 1e-7, 0.25, 2, 4, 0.5, 0.75, 1e-8, 11, 13, 1.5, 0),
        ),
    ],
)
def test_settings_come_back_from_the_command_line_as_they_went(settings):
    parser = argparse.ArgumentParser()
    add_settings(parser, type(settings))
    line = [
        text
        for name, value in dataclasses.asdict(settings).items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    assert settings_from(parser.parse_args(line), type(settings)) == settings
    assert settings_from(parser.parse_args([]), type(settings)) == type(settings)()


@pytest.mark.parametrize("settings", [ModelSettings, TrainingSettings])
def test_the_help_describes_every_setting_with_its_default(settings):
    parser = command.argument_parser("A script.")
    add_settings(parser, settings)
    told = " ".join(parser.format_help().split())
    for field in dataclasses.fields(settings):
        assert re.search(
            rf"--{field.name.replace('_', '-')} \w+ [^(]+[^( ] \(default: {re.escape(str(field.default))}\)",
            told,
        )


def test_a_setting_without_a_default_is_required(capsys):
    parser = command.argument_parser("A script.")
    command.add_settings(parser, Preset)
    with pytest.raises(SystemExit):
        parser.parse_args(["--padding", "repl"])
    assert "required: --upscale-padding" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of other systems reads no such settings")
@pytest.mark.parametrize("own", [{}, {"GLIBC_TUNABLES": "glibc.malloc.check=0"}])
def test_a_program_starts_anew_in_the_environment_of_jobs(own, monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    source = "import os, sys; from spatial_prediction import command; command.take_job_environment(); "
    source += "print(sys.argv[1:], os.environ['GLIBC_TUNABLES'])"
    ended = subprocess.run(
        [sys.executable, "-c", source, "an argument"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **own},
    )
    expected = {**command.JOB_ENVIRONMENT, **own}["GLIBC_TUNABLES"]
    assert (ended.stdout, ended.stderr) == (f"['an argument'] {expected}\n", "")


INTERRUPTED_SCRIPT = """
import os, signal, sys
from spatial_prediction import command

def interrupt(arguments=None):
    print("begun", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    while True:
        pass

{call}
"""


@pytest.mark.parametrize(
    ("call", "code"),
    [("command.run(interrupt)", command.STOPPED), ("interrupt()", -2)],
    ids=["run", "import"],
)
def test_ctrl_c_ends_a_script_with_one_line_while_it_runs_and_while_it_imports(call, code):
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_SCRIPT.format(call=call)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout == "begun\n"
    assert ended.stderr == "interrupted; start it again\n"
    assert ended.returncode == code  # a shell gives 130 for both


def test_a_defect_before_the_script_runs_keeps_its_traceback():
    ended = subprocess.run(
        [sys.executable, "-c", "from spatial_prediction import command\n1 / 0"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.stderr.startswith("Traceback (most recent call last)")
    assert ended.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_a_job_of_the_study_holds_the_lock_that_its_environment_names(tmp_path, monkeypatch):
    from spatial_prediction import process_lock

    monkeypatch.setenv(process_lock.WORKING_VARIABLE, str(tmp_path / "working.lock"))
    ended = script(
        "from spatial_prediction import process_lock; "
        f"print(process_lock.is_held({str(tmp_path / 'working.lock')!r}))"
    )
    assert ended.stdout == "True\n"
    assert process_lock.is_held(tmp_path / "working.lock") is False
