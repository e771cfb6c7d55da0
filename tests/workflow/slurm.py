"""A SLURM to send jobs to, the machine's own or one of one node, and ways to interrupt its jobs."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time

import pytest
from safetensors.numpy import load_file
from tests.helpers import shared_folder

TOOL = shared_folder("tools") / "local_slurm.sh"
PROFILE = (
    "--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue", "--slurm-no-account",
    "--cores", 2, "--latency-wait", 20, "--seconds-between-status-checks", 2,
    "--slurm-init-seconds-before-status-checks", 2, "--configfile", "overlay.yaml",
)  # fmt: skip


class NoClusterError(Exception):
    """No SLURM answers, and none can be started."""


def slurm(*command):
    """What a program of SLURM prints."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, f"{command}: {ended.stderr}"
    return ended.stdout


@contextlib.contextmanager
def cluster(cpus=4):
    """Have the machine's own SLURM, or one with so many processors that is started for the block."""
    if shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True, timeout=60).returncode == 0:
        yield
        return
    if os.geteuid() != 0:
        raise NoClusterError("no SLURM answers (sinfo), and only root can start one")
    if not TOOL.exists():
        raise NoClusterError(
            "no SLURM answers (sinfo), and the program that starts one is not beside the checkout"
        )
    environment = os.environ | {
        # not below pytest's folder, which others may not enter, as munge wants it
        "LOCAL_SLURM_DIR": f"{tempfile.gettempdir()}/slurm_of_tests_{os.getpid()}",
        "LOCAL_SLURM_PORT": "27817",
        "LOCAL_SLURM_CPUS": str(cpus),
        "LOCAL_SLURM_MEM": "64000",  # more than there may be: what runs here is small
    }
    if subprocess.run([TOOL, "install"], env=environment, timeout=300).returncode:
        raise NoClusterError("no SLURM answers (sinfo), and its packages could not be installed")
    subprocess.run([TOOL, "start"], check=True, env=environment, timeout=60)
    with pytest.MonkeyPatch.context() as patch:
        folder = environment["LOCAL_SLURM_DIR"]
        patch.setenv("SLURM_CONF", f"{folder}/slurm.conf")
        patch.setenv("PATH", f"{folder}/bin", prepend=os.pathsep)
        try:
            yield
        finally:
            subprocess.run([TOOL, "stop"], check=True, env=environment, timeout=120)


def training_job(preset, seed):
    """Number of the running SLURM job that trains this, or None."""
    for line in slurm("squeue", "--noheader", "--states", "RUNNING", "--format", "%i %k").splitlines():
        number, _, comment = line.partition(" ")
        if "train_model" in comment and comment.endswith(f"{preset}_{seed}"):
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


def interrupt(folder, running, waiting, seconds):
    """Interrupt each training once it has a checkpoint, and wait for Snakemake's end.

    Args:
        folder: of the study.
        running: its Snakemake.
        waiting: ``{(preset, seed): cancel, requeue or end_its_time}``; what has been done is taken out.
        seconds: that all may take.
    """
    end = time.monotonic() + seconds
    while running.poll() is None:
        assert time.monotonic() < end, "took too long"
        for (preset, seed), act in list(waiting.items()):
            steps = folder.glob(f"resources/checkpoints/{preset}/seed_{seed}-*/*/step_*.safetensors")
            if any(steps) and (job := training_job(preset, seed)):
                del waiting[preset, seed]
                act(job)
        time.sleep(0.2)


def unequal_arrays(one, other):
    """Names of the arrays of two safetensors files that differ in dtype, shape or any bit."""
    one, other = (
        {name: (array.dtype, array.shape, array.tobytes()) for name, array in load_file(path).items()}
        for path in (one, other)
    )
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
