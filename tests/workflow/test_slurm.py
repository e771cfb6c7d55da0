"""The profile for SLURM, on a real one of one node: small jobs share a job, interrupted training resumes."""

import re
from collections import Counter

import pytest
import yaml
from tests.workflow.slurm import (
    PROFILE,
    NoClusterError,
    cancel,
    cluster,
    end_its_time,
    interrupt,
    requeue,
    unequal_arrays,
)
from tests.workflow.study import MadeStudy, Study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def a_cluster():
    try:
        with cluster():
            yield
    except NoClusterError as missing:
        pytest.skip(str(missing))


def submissions(printed):
    """Number of SLURM jobs by what they are for."""
    names = re.findall(r"has been submitted with SLURM jobid .*/slurm_logs/(rule|group)_([a-z]+)", printed)
    return Counter(name if kind == "group" else "rule" for kind, name in names)


def test_a_study_is_few_jobs(tmp_path):
    study = MadeStudy(tmp_path / "study")
    study.configure(
        presets=["zero-repl", "zero_oc5"], seeds=[0], timing={"presets": []}, figures={"formats": ["png"]}
    )
    results = ["results/tables/results.csv", "results/figures/test_mse.png"]  # each job takes SLURM seconds
    printed = study.run_with_stand_in(*PROFILE, "--", *results, timeout=1500)
    # two trainings, two for scenes and arrays, bilinear upscaling; seven others share two
    assert submissions(printed) == {"rule": 5, "networks": 1, "summary": 1}
    assert all((study.folder / path).exists() for path in results)


OVERLAY = {
    "dataset": {"scene_size": 208, "test_scenes": 1, "synthetic": {"scenes": 3}},
    "presets": ["zero-repl"],
    "seeds": [0, 1, 2],
    "training": {
        "steps": 400, "batch_size": 1, "warmup_steps": 5, "decay_start": 100, "test_every": 200,
        "checkpoint_every": 10, "learning_rate": 1e-4,
    },
    "evaluation": {"nmse_presets": []},
    "seams": {"presets": [], "strategy_presets": [], "transfer_presets": []},
    "timing": {"presets": []},
    "figures": {"sample_scenes": [0]},
}  # fmt: skip
FOLDERS = [f"training/zero-repl/seeds_{seed}" for seed in OVERLAY["seeds"]]
RESULTS = [f"training/zero-repl/seeds_{seed}/seed_{seed}.safetensors" for seed in OVERLAY["seeds"]]


def test_training_survives_scancel_requeue_and_its_time_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # there is more to compile than to train
    study = Study(tmp_path / "study")
    (study.folder / "overlay.yaml").write_text(yaml.safe_dump(OVERLAY))
    # the requeued last: it is waited for, while the others train on
    waiting = {("zero-repl", seed): act for seed, act in enumerate((cancel, end_its_time, requeue))}
    targets = [f"results/{path}" for path in FOLDERS]
    with study.started(*PROFILE, "--", *targets) as running:
        interrupt(study.folder, running, waiting, seconds=900)  # a minute or two, were all else idle
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
    ended = study.snakemake("--cores", 2, "--configfile", "overlay.yaml", "--", *targets, timeout=1500)
    assert ended.returncode == 0, ended.stdout
    for path in RESULTS:
        assert unequal_arrays(study.folder / "results" / path, study.folder / "local/results" / path) == []
