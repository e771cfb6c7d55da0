"""The profile for SLURM, on a real one of one node: small jobs share a job, interrupted training resumes."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file
from tests.helpers import shared_folder
from tests.workflow.study import MadeStudy, Study

pytestmark = pytest.mark.slow

TOOL = shared_folder("tools") / "local_slurm.sh"
PROFILE = (
    "--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue", "--slurm-no-account",
    "--cores", 2, "--latency-wait", 20, "--seconds-between-status-checks", 2,
    "--slurm-init-seconds-before-status-checks", 2, "--configfile", "overlay.yaml",
)  # fmt: skip


def slurm(*command):
    """What a program of SLURM prints."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, f"{command}: {ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """The machine's own SLURM, or one that is started for these tests."""
    if shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True, timeout=60).returncode == 0:
        yield
        return
    if os.geteuid() != 0:
        pytest.skip("no SLURM answers (sinfo), and only root can start one")
    if not TOOL.exists():
        pytest.skip("no SLURM answers (sinfo), and the program that starts one is not beside the checkout")
    # More than there is: what runs here is small, and should not wait for its turn.
    environment = os.environ | {
        # not below pytest's folder, which others may not enter, as munge wants it
        "LOCAL_SLURM_DIR": f"{tempfile.gettempdir()}/slurm_of_tests_{os.getpid()}",
        "LOCAL_SLURM_PORT": "27817",
        "LOCAL_SLURM_CPUS": "4",
        "LOCAL_SLURM_MEM": "64000",
    }
    if subprocess.run([TOOL, "install"], env=environment, timeout=300).returncode:
        pytest.skip("no SLURM answers (sinfo), and its packages could not be installed")
    subprocess.run([TOOL, "start"], check=True, env=environment, timeout=60)
    with pytest.MonkeyPatch.context() as patch:
        folder = environment["LOCAL_SLURM_DIR"]
        patch.setenv("SLURM_CONF", f"{folder}/slurm.conf")
        patch.setenv("PATH", f"{folder}/bin", prepend=os.pathsep)
        try:
            yield
        finally:
            subprocess.run([TOOL, "stop"], check=True, env=environment, timeout=120)


def submissions(printed):
    """Number of SLURM jobs by what they are for."""
    names = re.findall(r"has been submitted with SLURM jobid .*/slurm_logs/(rule|group)_([a-z]+)", printed)
    return Counter(name if kind == "group" else "rule" for kind, name in names)


def test_a_study_is_few_jobs(tmp_path):
    study = MadeStudy(tmp_path / "study")
    study.configure(
        presets=["zero-repl", "zero_oc5"], seeds=[0], timing={"presets": []}, figures={"formats": ["png"]}
    )
    printed = study.run_with_stand_in(*PROFILE, timeout=600)
    # two trainings, two for scenes and arrays, bilinear upscaling; 18 others share two
    assert submissions(printed) == {"rule": 5, "networks": 1, "summary": 1}
    assert (study.folder / "results" / "tables" / "provenance.csv").exists()


OVERLAY = {
    "dataset": {"scene_size": 208, "test_scenes": 1, "synthetic": {"scenes": 3}},
    "presets": ["zero-repl"],
    "seeds": [0, 1, 2],
    "training": {
        "steps": 800, "batch_size": 1, "warmup_steps": 5, "decay_start": 100, "test_every": 400,
        "checkpoint_every": 10, "learning_rate": 1e-4,
    },
    "evaluation": {"nmse_presets": []},
    "timing": {"presets": []},
    "figures": {"sample_scenes": [0]},
}  # fmt: skip
FOLDERS = [f"training/zero-repl/seeds_{seed}" for seed in OVERLAY["seeds"]]
RESULTS = [f"training/zero-repl/seeds_{seed}/seed_{seed}.safetensors" for seed in OVERLAY["seeds"]]


def job_of(seed):
    """Number of the running SLURM job that trains with this seed, or None."""
    for line in slurm("squeue", "--noheader", "--states", "RUNNING", "--format", "%i %k").splitlines():
        number, _, comment = line.partition(" ")
        if "train_model" in comment and comment.endswith(f"zero-repl_{seed}"):
            return number
    return None


def cancel(job):
    slurm("scancel", job)


def requeue(job):
    slurm("scontrol", "requeue", job)
    end = time.monotonic() + 60
    while slurm("squeue", "--noheader", "--jobs", job, "--format", "%T").strip() != "PENDING":
        assert time.monotonic() < end
        time.sleep(0.5)
    slurm("scontrol", "update", f"JobId={job}", "StartTime=now")  # without the two minutes of grace


def end_its_time(job):
    slurm("scontrol", "update", f"JobId={job}", "EndTime=now")


def test_training_survives_scancel_requeue_and_its_time_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # there is more to compile than to train
    study = Study(tmp_path / "study")
    (study.folder / "overlay.yaml").write_text(yaml.safe_dump(OVERLAY))
    waiting = {0: cancel, 1: requeue, 2: end_its_time}
    targets = [f"results/{path}" for path in FOLDERS]
    with study.started(*PROFILE, "--", *targets) as running:
        end = time.monotonic() + 900  # a minute or two, on a machine that does nothing else
        while running.poll() is None:
            assert time.monotonic() < end, "took too long"
            for seed, interrupt in list(waiting.items()):
                steps = study.folder.glob(
                    f"resources/checkpoints/zero-repl/seed_{seed}-*/*/step_*.safetensors"
                )
                if any(steps) and (job := job_of(seed)):
                    del waiting[seed]
                    interrupt(job)
            time.sleep(0.2)
    printed = (study.folder / "printed.txt").read_text()
    assert running.returncode == 0, printed
    assert waiting == {}
    assert "SLURM status is: 'CANCELLED'" in printed
    assert "SLURM status is: 'TIMEOUT'" in printed
    for seed in OVERLAY["seeds"]:
        log = study.folder / f"results/logs/train_model/zero-repl/seeds_{seed}.log"
        assert "resuming at step" in log.read_text()

    local = {"results": "local/results", "resources": "local/resources"}
    (study.folder / "overlay.yaml").write_text(yaml.safe_dump(OVERLAY | local))
    targets = [f"local/results/{path}" for path in FOLDERS]
    ended = study.snakemake("--cores", 2, "--configfile", "overlay.yaml", "--", *targets, timeout=600)
    assert ended.returncode == 0, ended.stdout
    for path in RESULTS:
        there, here = (load_file(study.folder / base / path) for base in ("results", "local/results"))
        assert there.keys() == here.keys()
        for name, array in there.items():
            assert np.array_equal(array, here[name], equal_nan=True), f"{path}: {name}"
