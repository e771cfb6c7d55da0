"""What is bundled of a trained network is the same for equal trainings, and says what it was trained on."""

import hashlib
import json
import runpy

import numpy as np
import pytest
from tests.helpers import REPOSITORY
from tests.unit.models.test_network_file import header, network

from spatial_prediction.errors import CheckpointError
from spatial_prediction.named_arrays import load_arrays, save_arrays

SCENES = {"b.nc": b"second", "a.nc": b"first"}
TRAINING = {"steps": 3, "batch_size": 2}


@pytest.fixture
def bundle(tmp_path):
    """Bundle what a training gave; return the file's bytes, and its content."""
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    for name, content in SCENES.items():
        (scenes / name).write_bytes(content)
    summary = {"train": {"scenes": list(SCENES), "sha256": "hash of train"}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    main = runpy.run_path(str(REPOSITORY / "workflow" / "bundle_network.py"))["main"]

    def bundled(*, seconds=1.5, commit="abc", data="hash of train", status="completed"):
        run = {"status": status, "step": 3, "seconds": seconds, "reason": "loss is not finite"}
        settings = {"training": TRAINING, "data": data, "code": "hash of code"}
        provenance = {"commit": commit, "settings": settings}
        arrays = network().to_named_arrays() if status == "completed" else {}
        save_arrays(tmp_path / "model", arrays, header(run=run, seed=0, provenance=provenance))
        paths = {"model": "model", "summary": "summary.json", "scenes": "scenes", "output": "bundled"}
        main([word for option, name in paths.items() for word in (f"--{option}", str(tmp_path / name))])
        return (tmp_path / "bundled").read_bytes(), *load_arrays(tmp_path / "bundled")

    return bundled


def test_equal_trainings_give_the_same_file(bundle):
    assert bundle()[0] == bundle(seconds=7.25, commit="abc-dirty")[0]


def test_the_file_holds_the_weights_and_says_what_they_were_trained_on(bundle):
    _, arrays, described = bundle()
    for name, array in network().to_named_arrays().items():
        np.testing.assert_array_equal(arrays[name], array)
    assert described["training"] == TRAINING
    assert described["run"] == {"status": "completed", "step": 3}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in SCENES.items()}
    assert list(described["training_scenes"].items()) == list(checksums.items())


def test_a_network_of_other_scenes_is_refused(bundle):
    with pytest.raises(CheckpointError, match=r"was trained on other scenes than .*summary\.json lists"):
        bundle(data="hash of others")


def test_a_run_that_diverged_is_refused(bundle):
    with pytest.raises(CheckpointError, match="its training diverged"):
        bundle(status="diverged")
