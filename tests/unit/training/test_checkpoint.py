"""Training states on disk come back bit for bit, or with a message that says what to do."""

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from spatial_prediction.errors import CheckpointError, WriteError
from spatial_prediction.named_arrays import load_arrays, save_arrays
from spatial_prediction.training import Checkpoints, _checkpoint
from spatial_prediction.training._checkpoint import NAME, named_leaves, with_named_leaves

ARRAYS = {
    "count": np.array(7, np.int32),
    "empty": np.zeros((0, 3), np.float32),
    "exact": np.array([0.1, 1 / 3, -0.0, np.nextafter(1, 2)], np.float64),
    "flags": np.array([True, False]),
    "large": np.array([2**62 + 1, -5], np.int64),
    "odd": np.array([np.nan, np.inf, -np.inf, 1e-45], np.float32),
    "transposed": np.arange(12, dtype=np.float32).reshape(3, 4).T,
}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_arrays_of_every_type_come_back_bit_for_bit(tmp_path):
    save_arrays(tmp_path / "state.safetensors", ARRAYS, {"step": 3, "text": "é", "nothing": None})
    arrays, header = load_arrays(tmp_path / "state.safetensors")
    assert header == {"step": 3, "text": "é", "nothing": None}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape), name
        assert arrays[name].tobytes() == array.tobytes(), name


def test_the_leaves_of_a_tree_come_back_in_their_places(tmp_path):
    tree = {"layers": [jnp.ones(2), jnp.zeros((), jnp.int32)], "rate": (jnp.full(3, 0.5),)}
    save_arrays(tmp_path / "state.safetensors", named_leaves(tree), {})
    arrays, _ = load_arrays(tmp_path / "state.safetensors")
    blank = {"layers": [jnp.zeros(2), jnp.ones((), jnp.int32)], "rate": (jnp.zeros(3),)}
    found = with_named_leaves(blank, arrays, source=tmp_path)
    assert found["layers"][0].tolist() == [1, 1]
    assert found["layers"][1].tolist() == 0
    assert found["rate"][0].tolist() == [0.5, 0.5, 0.5]


def test_a_leaf_of_another_shape_is_refused_with_file_and_leaf(tmp_path):
    path = tmp_path / "state.safetensors"
    with pytest.raises(CheckpointError, match=r"state.safetensors: \['w'\] is float32\(3,\).*float32\(2,\)"):
        with_named_leaves({"w": jnp.zeros(2)}, {"['w']": np.zeros(3, np.float32)}, source=path)


def test_a_leaf_of_another_type_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="float64"):
        with_named_leaves({"w": jnp.zeros(2)}, {"['w']": np.zeros(2, np.float64)}, source=tmp_path)


@pytest.mark.parametrize("stored", [{}, {"['w']": np.zeros(2), "['v']": np.zeros(2)}])
def test_a_missing_or_unknown_leaf_is_refused(tmp_path, stored):
    with pytest.raises(CheckpointError, match="is not in both the checkpoint and the program"):
        with_named_leaves({"w": jnp.zeros(2)}, stored, source=tmp_path)


def test_only_the_newest_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in (5, 50, 500):
        checkpoints.save(step, ARRAYS, {})
    assert names(tmp_path) == ["step_000000050.safetensors", "step_000000500.safetensors"]
    assert checkpoints.newest()[1]["step"] == 500


def test_an_empty_or_absent_folder_holds_no_checkpoint(tmp_path):
    assert Checkpoints(tmp_path).newest() is None
    assert Checkpoints(tmp_path / "absent").newest() is None


@pytest.mark.parametrize("left_bytes", [0, 5, 100, -1])
def test_a_damaged_newest_is_passed_over_with_a_warning(tmp_path, caplog, left_bytes):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2):
        checkpoints.save(step, {"w": np.full(4, step, np.float32)}, {"seconds": 0.5})
    newest = checkpoints.path(2)
    newest.write_bytes(newest.read_bytes()[:left_bytes])
    with caplog.at_level(logging.WARNING):
        arrays, header = checkpoints.newest()
    assert header == {"step": 1, "seconds": 0.5, "common_until": 0}
    assert arrays["w"].tolist() == [1, 1, 1, 1]
    (record,) = caplog.records
    assert str(newest) in record.getMessage()
    assert "cannot be read" in record.getMessage()


def test_nothing_readable_counts_as_nothing(tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2):
        checkpoints.path(step).write_bytes(b"no checkpoint")
    assert checkpoints.newest() is None
    assert len(caplog.records) == 2


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(CheckpointError, match=r"absent.safetensors: cannot be read"):
        load_arrays(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("metadata", [None, {"format_version": "2", "header": "{}"}])
def test_another_format_version_is_refused(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    save_file({"w": np.zeros(1)}, path, metadata)
    found = metadata["format_version"] if metadata else None
    with pytest.raises(CheckpointError, match=f"format version {found}, this program reads version 1"):
        load_arrays(path)


def test_earlier_checkpoints_stay_when_writing_fails(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, ARRAYS, {})

    def fail_halfway(path, content):
        with open(path, "wb") as file:
            file.write(content[:50])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail_halfway)
    for step in (1, 2):
        with pytest.raises(
            WriteError, match=rf"step_00000000{step}.safetensors: cannot be written \(No space .*make room"
        ):
            checkpoints.save(step, {}, {})
    assert names(tmp_path) == ["step_000000001.safetensors"]
    assert checkpoints.newest()[0].keys() == ARRAYS.keys()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_may_not_be_written_is_named_before_training_begins(tmp_path, monkeypatch, number):
    def refused(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(_checkpoint, "open", refused, raising=False)
    with (
        pytest.raises(WriteError, match=r"lock: cannot be written .*make its folder writable"),
        Checkpoints(tmp_path).locked(),
    ):
        pass


def flipped(path, place, bit=0):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def two_checkpoints(folder):
    checkpoints = Checkpoints(folder)
    for step in (1, 2):
        arrays = {"w": np.full(4, step, np.float32), "count": np.array(step)}
        checkpoints.save(step, arrays, {"seconds": 0.5})
    return checkpoints


def test_any_flipped_bit_is_noticed_or_changes_nothing(tmp_path, caplog):
    checkpoints = two_checkpoints(tmp_path)
    newest = checkpoints.path(2)
    content, (arrays, header) = newest.read_bytes(), load_arrays(newest)
    noticed = 0
    for place in range(len(content)):
        flipped(newest, place, place % 8)
        found, told = checkpoints.newest()
        if told["step"] == 1:
            noticed += 1
        else:
            assert told == header
            assert {name: array.tobytes() for name, array in found.items()} == {
                name: array.tobytes() for name, array in arrays.items()
            }
        newest.write_bytes(content)
    assert noticed > 0.9 * len(content)
    assert len(caplog.records) == noticed


@pytest.mark.parametrize("bit", range(8))
def test_one_flipped_bit_of_a_weight_is_told_of_and_the_checkpoint_before_is_used(tmp_path, caplog, bit):
    checkpoints = two_checkpoints(tmp_path)
    flipped(checkpoints.path(2), -1, bit)
    arrays, header = checkpoints.newest()
    assert header["step"] == 1
    assert arrays["w"].tolist() == [1, 1, 1, 1]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{checkpoints.path(2)}: its checksum is not that of its content" in record.getMessage()


def test_a_flipped_bit_in_a_trained_network_is_refused(tmp_path):
    path = tmp_path / "seed_0.safetensors"
    save_arrays(path, ARRAYS, {})
    flipped(path, -1)
    with pytest.raises(CheckpointError, match=r"seed_0.safetensors: its checksum .*run the stage again"):
        load_arrays(path)


def test_a_file_of_an_earlier_release_without_checksum_is_read(tmp_path):
    save_file({"w": np.ones(2)}, tmp_path / "a.safetensors", {"format_version": "1", "header": "{}"})
    arrays, header = load_arrays(tmp_path / "a.safetensors")
    assert (arrays["w"].tolist(), header) == ([1, 1], {})


@pytest.mark.parametrize("metadata", [{}, {"header": "no JSON"}, {"header": "[1]"}])
def test_a_file_without_header_is_refused(tmp_path, metadata):
    save_file({"w": np.zeros(1)}, tmp_path / "a.safetensors", {"format_version": "1", **metadata})
    with pytest.raises(CheckpointError, match=r"a.safetensors: has no header"):
        load_arrays(tmp_path / "a.safetensors")


FOREIGN = {
    "step_000000003 (1).safetensors": lambda path: path.write_bytes(b"a copy"),
    "step_3.safetensors": lambda path: path.write_bytes(b"short"),
    "step_000000003.safetensors.tmp": lambda path: path.write_bytes(b""),
    "step_٣٣٣٣٣٣٣٣٣.safetensors": lambda path: path.write_bytes(b""),
    "step_000000003.safetensors": lambda path: path.mkdir(),
    "step_000000004.safetensors": lambda path: path.write_bytes(b""),
    "step_000000005.safetensors": lambda path: save_file({"w": np.zeros(1)}, path),
    "step_000000006.safetensors": lambda path: save_file({"w": np.zeros(1)}, path, {"format_version": "1"}),
    "step_000000007.safetensors": lambda path: save_arrays(path, {}, {"preset": "repl"}),
    "step_000000008.safetensors": lambda path: save_arrays(path, {}, {"step": 2, "common_until": 0}),
    "step_000000009.safetensors": lambda path: path.symlink_to("absent"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_passed_over_with_a_warning_and_left_alone(tmp_path, caplog, name):
    checkpoints = two_checkpoints(tmp_path)
    FOREIGN[name](tmp_path / name)
    with caplog.at_level(logging.WARNING):
        assert checkpoints.newest()[1]["step"] == 2
    (record,) = caplog.records
    assert str(tmp_path / name) in record.getMessage()
    assert Checkpoints(tmp_path / "beside", common_until=0).newest() is None  # nor do neighbours mind them
    for step in (10, 11, 12):
        checkpoints.save(step, ARRAYS, {})
    assert checkpoints.newest()[1]["step"] == 12
    assert "step_000000012.safetensors" in names(tmp_path)
    if NAME.fullmatch(name) is None or (tmp_path / name).is_dir():
        assert name in names(tmp_path)


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(3, ARRAYS, {})
    (tmp_path / ".step_000000004.0123abcd.partial.safetensors").write_bytes(b"half")
    with checkpoints.locked():
        assert names(tmp_path) == ["lock", "step_000000003.safetensors"]


def test_a_second_handle_is_refused_and_the_lock_is_released_afterwards(tmp_path):
    folder = tmp_path / "made" / "here"
    with (
        Checkpoints(folder).locked(),
        pytest.raises(CheckpointError, match="another process is training here; wait for it or end it"),
        Checkpoints(folder).locked(),
    ):
        pass
    with Checkpoints(folder).locked():
        pass


def test_the_lock_is_released_by_an_error(tmp_path):
    with pytest.raises(KeyError), Checkpoints(tmp_path).locked():
        raise KeyError
    with Checkpoints(tmp_path).locked():
        pass


HOLD_THE_LOCK = """
import sys
from pathlib import Path
from spatial_prediction.training import Checkpoints
with Checkpoints(Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_keeps_us_out_until_it_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(CheckpointError, match="another process"), Checkpoints(tmp_path).locked():
            pass
        other.kill()
        other.wait()
        with Checkpoints(tmp_path).locked():
            pass
