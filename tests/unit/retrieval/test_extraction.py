import stat
import warnings
import zipfile

import pytest

from spatial_prediction.errors import RetrievalError
from spatial_prediction.retrieval.extraction import extract_scenes

SCENES = {"000001.nc": b"second " * 100, "000000.nc": b"first " * 100}


def make_archive(path, members=SCENES, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of names written twice
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return path


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive1.zip"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_scenes_are_extracted(archive, tmp_path, compression):
    paths = extract_scenes(make_archive(archive, compression=compression), tmp_path / "scenes")
    assert [path.name for path in paths] == ["000000.nc", "000001.nc"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "scenes").iterdir()} == SCENES


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ([("../000001.nc", b"x")], r"'\.\./000001\.nc' is not named NNNNNN\.nc"),
        ([("/000001.nc", b"x")], r"is not named NNNNNN\.nc"),
        ([("data/000001.nc", b"x")], r"is not named NNNNNN\.nc"),
        ([("C:\\000001.nc", b"x")], r"is not named NNNNNN\.nc"),
        ([("000001.nc.exe", b"x")], r"is not named NNNNNN\.nc"),
        ([("\N{ARABIC-INDIC DIGIT ONE}00001.nc", b"x")], r"is not named NNNNNN\.nc"),
        ([("data/", b"")], "is a link, a folder or a device"),
        ([(link("000001.nc"), b"/etc/passwd")], "is a link, a folder or a device"),
        ([("000001.nc", b"x"), ("000001.nc", b"y")], "'000001.nc' occurs 2 times"),
        ([("000001.nc", bytes(1001))], "has 1001 bytes, more than the 1000"),
        ([], "holds no scenes"),
    ],
)
def test_anything_else_is_refused_before_a_file_is_written(archive, tmp_path, members, fault):
    make_archive(archive, [("000000.nc", b"good"), *members] if members else [])
    with pytest.raises(RetrievalError, match=fault) as caught:
        extract_scenes(archive, tmp_path / "scenes", largest_scene=1000)
    assert str(caught.value).startswith(f"{archive}: ")
    assert list((tmp_path / "scenes").iterdir()) == []
    assert not (tmp_path / "000001.nc").exists()


def test_encrypted_members_are_refused(archive, tmp_path):
    content = bytearray(make_archive(archive).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(RetrievalError, match="is encrypted"):
        extract_scenes(archive, tmp_path / "scenes")


def test_a_wrong_crc_leaves_no_scene(archive, tmp_path):
    content = make_archive(archive, {"000000.nc": b"some bytes"}).read_bytes()
    archive.write_bytes(content.replace(b"some bytes", b"same bytes"))
    with pytest.raises(RetrievalError, match=r"Bad CRC-32.*delete it and fetch it again"):
        extract_scenes(archive, tmp_path / "scenes")
    assert list((tmp_path / "scenes").iterdir()) == []


def test_an_understated_size_does_not_write_more(archive, tmp_path):
    content = bytearray(
        make_archive(archive, {"000000.nc": bytes(100_000)}, zipfile.ZIP_DEFLATED).read_bytes()
    )
    size_field = content.index(b"PK\x01\x02") + 24
    content[size_field : size_field + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(content)
    with pytest.raises(RetrievalError, match="damaged"):
        extract_scenes(archive, tmp_path / "scenes", largest_scene=1000)
    assert list((tmp_path / "scenes").iterdir()) == []


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_truncated_archives_are_refused(archive, tmp_path, share):
    content = make_archive(archive).read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RetrievalError, match="not a plain zip archive"):
        extract_scenes(archive, tmp_path / "scenes")


def test_missing_archives_are_named(archive, tmp_path):
    with pytest.raises(RetrievalError, match=r"archive1\.zip: cannot be extracted"):
        extract_scenes(archive, tmp_path / "scenes")


def test_scenes_that_do_not_fit_on_the_disk_are_not_begun(archive, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr("spatial_prediction.retrieval.extraction.shutil.disk_usage", lambda _: usage)
    with pytest.raises(RetrievalError, match=r"its scenes take 1300 bytes, and .* has 100 left"):
        extract_scenes(make_archive(archive), tmp_path / "scenes")


def test_scenes_already_there_are_kept_if_equal_and_never_overwritten(archive, tmp_path):
    make_archive(archive)
    extract_scenes(archive, tmp_path)
    before = (tmp_path / "000000.nc").stat().st_mtime_ns
    extract_scenes(archive, tmp_path)
    assert (tmp_path / "000000.nc").stat().st_mtime_ns == before
    (tmp_path / "000000.nc").write_bytes(b"mine")
    with pytest.raises(RetrievalError, match=r"000000\.nc exists with other bytes"):
        extract_scenes(archive, tmp_path)
    assert (tmp_path / "000000.nc").read_bytes() == b"mine"
