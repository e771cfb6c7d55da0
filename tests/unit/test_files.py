"""Files are complete or absent."""

import errno
import json
import os

import pytest

from spatial_prediction import files
from spatial_prediction.errors import ConfigurationError, WriteError
from spatial_prediction.files import read_json, read_object, write_json, written_aside


class HalfwayError(Exception):
    """Something that goes wrong while a file is being written."""


def half_written(path, error=HalfwayError):
    with written_aside(path) as temporary:
        temporary.write_text("half")
        raise error


def test_a_written_file_has_its_content_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "table.csv"
    with written_aside(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_while_writing_leaves_no_file(tmp_path):
    with pytest.raises(HalfwayError):
        half_written(tmp_path / "table.csv")
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_writing_keeps_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(HalfwayError):
        half_written(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_no_file_either(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        half_written(tmp_path / "table.csv", KeyboardInterrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with written_aside(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_block_that_writes_nothing_fails_and_keeps_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), written_aside(path):
        pass
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["table.csv", "figure.tar.gz"])
def test_the_temporary_file_is_hidden_and_keeps_folder_and_suffix(tmp_path, name):
    with written_aside(tmp_path / name) as temporary:
        temporary.write_text("x")
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffix == (tmp_path / name).suffix


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "table.csv"
    with written_aside(path) as first, written_aside(str(path)) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # the outer block ends last
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "table.csv"
    with written_aside(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"


def test_the_content_is_on_disk_before_the_file_gets_its_name(tmp_path, monkeypatch):
    path, flushed = tmp_path / "table.csv", []

    def fsync(descriptor):
        flushed.append((os.fstat(descriptor).st_ino, path.exists()))

    monkeypatch.setattr(files.os, "fsync", fsync)
    with written_aside(path) as temporary:
        temporary.write_text("whole")
    assert flushed == [(path.stat().st_ino, False)]


def test_json_comes_back_as_it_went(tmp_path):
    content = {"presets": ["zero-repl", "lp2x3"], "loss": 5.4e-4, "none": None, "name": "Ylöjärvi"}
    write_json(tmp_path / "run.json", content)
    assert read_json(tmp_path / "run.json") == content
    assert list(read_json(tmp_path / "run.json")) == list(content)


def test_json_is_indented_and_ends_with_a_line_break(tmp_path):
    write_json(tmp_path / "run.json", {"seed": 0})
    assert (tmp_path / "run.json").read_text() == '{\n  "seed": 0\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_know_are_refused_and_nothing_is_written(tmp_path, value):
    path = tmp_path / "run.json"
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"loss": value})
    assert list(tmp_path.iterdir()) == []


def test_reading_two_documents_as_one_is_refused(tmp_path):
    (tmp_path / "run.json").write_text("{}\n{}\n")
    with pytest.raises(json.JSONDecodeError):
        read_json(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "No space left on device); make room on its disk, or choose a folder on another"),
        (errno.EDQUOT, "Disk quota exceeded); make room in your quota, or choose a folder on another disk"),
        (errno.EFBIG, "File too large); raise the limit on the size of files (ulimit -f)"),
        (errno.EROFS, "Read-only file system); make its folder writable, or choose another"),
        (errno.EACCES, "Permission denied); make its folder writable, or choose another"),
        (errno.EIO, "Input/output error); make room on its disk, or choose a folder on another"),
        (None, "half of it only); make room on its disk, or choose a folder on another"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_failure_to_write_names_the_file_and_the_remedy_on_one_line(tmp_path, number, message, named):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        if number is None:
            raise OSError("half of\nit only")
        raise OSError(number, os.strerror(number), *([str(temporary)] if named else []))

    with pytest.raises(WriteError) as caught, written_aside(path) as temporary:
        fail(temporary)
    assert str(caught.value) == f"{path}: cannot be written ({message}"
    assert caught.value.errno == number
    assert isinstance(caught.value, OSError)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_where_a_folder_is_needed_and_the_reverse_are_named(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(WriteError, match=r"results/run.json: cannot be written .*move away"):
        write_json(tmp_path / "results" / "run.json", {})
    with pytest.raises(WriteError, match=r"results/runs/run.json: cannot be written .*move away the file"):
        write_json(tmp_path / "results" / "runs" / "run.json", {})
    (tmp_path / "run.json").mkdir()
    with pytest.raises(WriteError, match=r"run.json: cannot be written .*move away the folder that stands"):
        write_json(tmp_path / "run.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results", "run.json"]


def test_a_folder_removed_meanwhile_is_named(tmp_path):
    with (
        pytest.raises(WriteError, match=r"run.json: cannot be written .*removed meanwhile"),
        written_aside(tmp_path / "runs" / "run.json"),
    ):
        (tmp_path / "runs").rmdir()


def test_an_error_about_another_file_is_left_as_it_is(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"absent\.nc"),
        written_aside(tmp_path / "a.csv") as temporary,
    ):
        temporary.write_text((tmp_path / "absent.nc").read_text())
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError), written_aside(tmp_path / "deep" / "a.csv") as temporary:
        temporary.write_text((tmp_path / "folder").read_text())
    with pytest.raises(ConnectionError), written_aside(tmp_path / "a.csv"):
        raise ConnectionResetError("by the peer")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as JSON"),
        (b"no JSON", "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[1]", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b"{}", r"key\(s\) size, train.sha256 missing"),
        (b'{"size": 3, "train": {}}', r"key\(s\) train.sha256 missing"),
        (b'{"size": 3, "train": 5}', r"key\(s\) train.sha256 missing"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_the_wanted_object_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "summary.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"summary.json: {message}.*make it again with its rule"):
        read_object(path, ["size", "train.sha256"])


def test_an_object_with_its_keys_comes_back_and_a_missing_file_is_named(tmp_path):
    path = tmp_path / "summary.json"
    write_json(path, {"size": 3, "train": {"sha256": "ab"}})
    assert read_object(path, ["size", "train.sha256"]) == {"size": 3, "train": {"sha256": "ab"}}
    with pytest.raises(ConfigurationError, match=r"absent.json: cannot be read as JSON \(No such file"):
        read_object(tmp_path / "absent.json")
