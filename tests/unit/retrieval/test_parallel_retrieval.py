import fcntl
import json
import logging
import runpy
import threading
import time

import pytest
from tests.catalogue_server import IDENTIFIER
from tests.helpers import REPOSITORY
from tests.published_scenes import SCENES, pair, zipped

from spatial_prediction.errors import RetrievalError
from spatial_prediction.files import write_json
from spatial_prediction.retrieval import parallel_retrieval as module
from spatial_prediction.retrieval.fairdata import find_archives
from spatial_prediction.retrieval.parallel_retrieval import archives_of_manifest, retrieve_scenes


def find(server, patience, **arguments):
    return find_archives(IDENTIFIER, catalogue=server.address, patience=patience, **arguments)


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_scenes_come_out_and_archives_go(published, patience, tmp_path):
    published.faults = [None] * 5 + [500, "drop", "wrong"]
    notes = retrieve_scenes(find(published, patience, version="3"), tmp_path, patience=patience)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.nc")} == SCENES
    assert list(tmp_path.glob("*.zip*")) == list(tmp_path.glob("*.zip.json"))
    assert [note["scenes"] for note in notes] == [dict.fromkeys(pair(index), 1000) for index in range(3)]


def test_what_is_there_is_not_fetched_again(published, patience, tmp_path):
    archives = find(published, patience)
    notes = retrieve_scenes(archives, tmp_path, patience=patience)
    published.log.clear()
    assert retrieve_scenes(archives, tmp_path, patience=patience) == notes
    assert published.log == []
    (tmp_path / "000002.nc").unlink()
    assert retrieve_scenes(archives, tmp_path, patience=patience) == notes
    assert [path for path, _ in published.log] == ["/mirror/scenes2.zip"]
    assert (tmp_path / "000002.nc").read_bytes() == SCENES["000002.nc"]


def test_an_archive_with_something_else_is_kept_for_inspection(published, patience, tmp_path):
    published.files["scenes1.zip"] = zipped({"../000000.nc": b"x"})
    with pytest.raises(RetrievalError, match=r"scenes1\.zip: member '\.\./000000\.nc' is not named"):
        retrieve_scenes(find(published, patience), tmp_path / "scenes", patience=patience)
    assert "scenes1.zip" in visible(tmp_path / "scenes")
    assert not (tmp_path / "000000.nc").exists()


def test_a_scene_in_two_archives_is_an_error(published, patience, tmp_path):
    published.files["scenes2.zip"] = published.files["scenes1.zip"]
    with pytest.raises(RetrievalError, match=r"000000\.nc is in both scenes1\.zip and scenes2\.zip"):
        retrieve_scenes(find(published, patience), tmp_path, patience=patience)


def test_the_script_writes_the_manifest(published, tmp_path):
    main = runpy.run_path(str(REPOSITORY / "scripts" / "super_resolution" / "retrieve_scenes.py"))["main"]
    manifest = tmp_path / "manifest.json"
    arguments = {
        "--identifier": IDENTIFIER,
        "--catalogue": published.address,
        "--catalogue-version": "2",
        "--max-archives": "2",
        "--directory": str(tmp_path / "scenes"),
        "--manifest": str(manifest),
    }
    main([part for argument in arguments.items() for part in argument])
    content = json.loads(manifest.read_text())
    assert content["identifier"] == IDENTIFIER
    assert content["archives_in_catalogue"] == 3
    assert [archive["name"] for archive in content["archives"]] == ["scenes1.zip", "scenes2.zip"]
    assert len(list((tmp_path / "scenes").glob("*.nc"))) == 4


def test_one_archive_that_fails_does_not_keep_the_others_away(published, patience, tmp_path):
    archives = find(published, patience)
    content = published.files.pop("scenes2.zip")
    with pytest.raises(RetrievalError, match=r"^http://.*/scenes2\.zip: the server answers 404 "):
        retrieve_scenes(archives, tmp_path, patience=patience)
    assert {path.name for path in tmp_path.glob("*.nc")} == {*pair(0), *pair(2)}
    published.files["scenes2.zip"] = content
    published.log.clear()
    retrieve_scenes(archives, tmp_path, patience=patience)
    assert [path for path, _ in published.log] == ["/mirror/scenes2.zip"]
    assert {path.name for path in tmp_path.glob("*.nc")} == set(SCENES)


def test_archives_come_side_by_side(published, patience, tmp_path):
    together = threading.Barrier(3)

    def meet(handler):
        together.wait(5)
        handler.serve_file(handler.path.rpartition("/")[2], None)

    archives = find(published, patience)
    published.faults = [meet] * 3
    notes = retrieve_scenes(archives, tmp_path, parallel=3, patience=patience)
    assert [note["name"] for note in notes] == ["scenes1.zip", "scenes2.zip", "scenes3.zip"]


def test_another_process_at_the_same_folder_is_waited_for(published, patience, tmp_path, caplog):
    archives = find(published, patience)
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = threading.Thread(target=retrieve_scenes, args=(archives, tmp_path))
        waiting.start()
        while not caplog.records:
            time.sleep(0.01)
        assert "another process is fetching into it; waiting" in caplog.text
        assert not list(tmp_path.glob("*.nc"))
    waiting.join(10)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.nc")} == SCENES


def test_nothing_is_fetched_where_not_everything_fits(published, patience, tmp_path, monkeypatch):
    archives = find(published, patience)
    published.log.clear()
    usage = type("Usage", (), {"free": 7000})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(RetrievalError, match=r"3 archives and their scenes take \d+ bytes, and 7000"):
        retrieve_scenes(archives, tmp_path, patience=patience)
    assert published.log == []
    assert len(retrieve_scenes(archives[:1], tmp_path, patience=patience)) == 1


def test_ctrl_c_ends_it_at_once_and_keeps_what_came(published, patience, tmp_path, monkeypatch):
    published.files["scenes1.zip"] = zipped({"000000.nc": bytes(2**22)})
    archives = find(published, patience)[:1]
    partial = tmp_path / "scenes1.zip.partial"

    class Interrupting(module.ThreadPoolExecutor):
        def map(self, *arguments):
            super().map(*arguments)
            while not partial.exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

    def sleepy(handler):
        content = published.files["scenes1.zip"]
        handler.answer(200, content, cut=2**20)
        for start in range(2**20, len(content), 2**16):
            published.closing.wait(0.05)
            handler.wfile.write(content[start : start + 2**16])

    monkeypatch.setattr(module, "ThreadPoolExecutor", Interrupting)
    published.faults = [sleepy]
    with pytest.raises(KeyboardInterrupt):
        retrieve_scenes(archives, tmp_path, patience=patience)
    assert partial.exists()
    assert visible(tmp_path) == [partial.name]


def test_progress_tells_rate_and_remaining_time(published, patience, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    retrieve_scenes(find(published, patience), tmp_path, patience=patience)
    total = sum(len(content) for name, content in published.files.items() if name.endswith("zip")) / 1e6
    assert f"3 archives: {total:.1f} of {total:.1f} MB at " in caplog.text


def test_a_manifest_serves_in_place_of_the_catalogue(published, patience, tmp_path):
    archives = find(published, patience)
    write_json(tmp_path / "manifest.json", {"archives": retrieve_scenes(archives, tmp_path / "scenes")})
    assert archives_of_manifest(tmp_path / "manifest.json") == archives
    moved = archives_of_manifest(tmp_path / "manifest.json", mirror="http://elsewhere/data/")
    assert moved[0].url == "http://elsewhere/data/scenes1.zip"


ENTRY = {"name": "a.zip", "size": 1, "algorithm": "md5", "checksum": "0" * 32, "url": "http://x/a.zip"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not a list of archives"),
        ("[]", "is not a list of archives"),
        ('{"archives": [{"name": "a.zip"}]}', r"is not a list of archives .*KeyError\('size'\)"),
        ('{"archives": []}', "lists no archive, or one twice"),
        (json.dumps({"archives": [ENTRY, ENTRY]}), "lists no archive, or one twice"),
        (json.dumps({"archives": [ENTRY | {"name": "../a.zip"}]}), "is not a plain file name"),
        (None, "cannot be read"),
    ],
)
def test_manifests_that_cannot_be_used_are_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(RetrievalError, match=message):
        archives_of_manifest(tmp_path / "manifest.json")
