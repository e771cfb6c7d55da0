import hashlib
import subprocess
import sys

import pytest
from tests.catalogue_server import IDENTIFIER

from spatial_prediction.errors import RetrievalError
from spatial_prediction.retrieval.fairdata import find_archives


def find(server, patience, **arguments):
    arguments = {"identifier": IDENTIFIER, "catalogue": server.address, "patience": patience} | arguments
    return find_archives(**arguments)


@pytest.mark.parametrize(("version", "algorithm"), [("3", "md5"), ("2", "sha256")])
def test_both_versions_list_the_archives(published, patience, version, algorithm):
    archives = find(published, patience, version=version)
    assert [archive.name for archive in archives] == ["scenes1.zip", "scenes2.zip", "scenes3.zip"]
    for archive in archives:
        content = published.files[archive.name]
        assert archive.size == len(content)
        assert archive.algorithm == algorithm
        assert archive.checksum == hashlib.new(algorithm, content).hexdigest()
        assert archive.url == f"{published.mirror}/{archive.name}"


def test_all_pages_are_followed_to_the_equal_identifier(published, patience):
    find(published, patience, version="3")
    pages = [path for path, _ in published.log]
    assert pages == ["/v3/datasets"] * 2 + ["/v3/datasets/0c9f2b1e-uuid/files"] * 3


def test_auto_falls_back_to_version_2(published, patience):
    published.versions = {"2"}
    assert [archive.algorithm for archive in find(published, patience)] == ["sha256"] * 3


def test_auto_uses_version_3_where_it_can(published, patience):
    assert [archive.algorithm for archive in find(published, patience)] == ["md5"] * 3


@pytest.mark.parametrize(
    "identifier", ["10.1234/scenes", "https://doi.org/10.1234/scenes", "DOI:10.1234/SCENES"]
)
@pytest.mark.parametrize("version", ["3", "2"])
def test_spellings_of_a_doi(published, patience, identifier, version):
    assert len(find(published, patience, identifier=identifier, version=version)) == 3


def test_unknown_data_sets_are_named_with_both_answers(published, patience):
    with pytest.raises(RetrievalError, match=r"version 3: .* does not list doi:10\.1/x; .*version 2: .* 404"):
        find(published, patience, identifier="10.1/x")


def test_the_mirror_may_be_given(published, patience):
    archives = find(published, patience, mirror="http://mirror.example/data/")
    assert archives[0].url == "http://mirror.example/data/scenes1.zip"


def test_a_description_without_mirror_says_what_to_do(published, patience):
    published.mirror_line = "Ask for a mirror."
    with pytest.raises(RetrievalError, match=r"names no mirror; give the mirror's address \(--mirror\)"):
        find(published, patience)


def test_with_a_mirror_no_description_is_needed(published, patience, monkeypatch):
    monkeypatch.setattr(type(published), "description", None)
    for version in ("2", "3"):
        assert len(find(published, patience, version=version, mirror="http://mirror.example")) == 3
        with pytest.raises(RetrievalError, match="names no mirror"):
            find(published, patience, version=version)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filename": "../evil.zip"}, r"'\.\./evil\.zip' is not a plain file name"),
        ({"filename": "/etc/evil.zip"}, "not a plain file name"),
        ({"filename": "same.zip"}, r"lists same\.zip twice"),
        ({"filename": None}, "no filename or file_path of type str"),
        ({"size": "12"}, "no size or byte_size of type int"),
        ({"checksum": None}, "no checksum of type str"),
        ({"checksum": "md5:short"}, "not a checksum by md5"),
        ({"checksum": "crc:00"}, "algorithm 'crc' is not known"),
        ({"filename": "same.txt"}, "none of the 5 files in the catalogue is a zip archive"),
    ],
)
def test_what_the_catalogue_says_is_not_trusted(published, patience, changes, message):
    published.catalogue_changes = changes
    with pytest.raises(RetrievalError, match=message):
        find(published, patience, version="3")


def test_answers_that_are_no_catalogue_are_named(published, patience, monkeypatch):
    monkeypatch.setattr(published, "document", lambda path, query: {"detail": "hello"})
    with pytest.raises(RetrievalError, match=r"no results of type list.*check the catalogue's address"):
        find(published, patience)


def test_passing_faults_of_the_catalogue_are_waited_out(published, patience):
    published.faults = [500, 500]
    assert len(find(published, patience, version="3")) == 3


def test_reading_scenes_imports_no_code_that_fetches_them():
    modules = "spatial_prediction.rasters, spatial_prediction.studies.super_resolution.data"
    code = f"import sys, {modules}; assert not {{'requests', 'jax'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
