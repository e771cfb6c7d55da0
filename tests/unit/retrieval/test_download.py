import dataclasses
import hashlib
import random
import re
import resource

import pytest

from spatial_prediction.errors import RetrievalError
from spatial_prediction.retrieval.download import Archive, download

CONTENT = random.Random(0).randbytes(3_000_000)
NAME = "archive1.zip"


@pytest.fixture
def archive(server):
    return serve(server, "sha256")


def serve(server, algorithm):
    server.files[NAME] = CONTENT
    checksum = hashlib.new(algorithm, CONTENT).hexdigest()
    return Archive(NAME, len(CONTENT), algorithm, checksum, f"{server.mirror}/{NAME}")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
def test_whole_file_gets_its_name(server, tmp_path, patience, algorithm):
    path = download(serve(server, algorithm), tmp_path / "new", patience=patience)
    assert path.read_bytes() == CONTENT
    assert names(tmp_path / "new") == [NAME]
    assert server.ranges_asked() == [None]


def test_a_verified_file_is_not_fetched_again(server, archive, tmp_path, patience):
    download(archive, tmp_path, patience=patience)
    download(archive, tmp_path, patience=patience)
    assert len(server.log) == 1


def test_a_file_of_wrong_bytes_is_fetched_again(archive, tmp_path, patience):
    (tmp_path / NAME).write_bytes(bytes(len(CONTENT)))
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_server_errors_are_waited_out(server, archive, tmp_path, patience, status):
    server.faults = [status, status]
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT


def test_a_dropped_connection_is_resumed_where_it_ended(server, archive, tmp_path, patience):
    server.faults = ["drop", "drop"]
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT
    starts = [int(byte_range.removeprefix("bytes=").rstrip("-")) for byte_range in server.ranges_asked()[1:]]
    assert len(starts) == 2
    assert 0 < starts[0] < starts[1] < len(CONTENT)


def test_a_dropped_connection_starts_over_without_ranges(server, archive, tmp_path, patience):
    server.faults, server.ranges = ["drop"], False
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT


def test_an_earlier_process_is_resumed(server, archive, tmp_path, patience):
    (tmp_path / f"{NAME}.partial").write_bytes(CONTENT[:1000])
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT
    assert server.ranges_asked() == ["bytes=1000-"]


def test_a_complete_partial_file_needs_no_request(server, archive, tmp_path, patience):
    (tmp_path / f"{NAME}.partial").write_bytes(CONTENT)
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT
    assert server.log == []


@pytest.mark.parametrize("leftover", [bytes(1000), bytes(len(CONTENT)), bytes(len(CONTENT) + 1)])
def test_a_partial_file_of_other_bytes_is_thrown_away(archive, tmp_path, patience, leftover):
    (tmp_path / f"{NAME}.partial").write_bytes(leftover)
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT


@pytest.mark.parametrize("fault", ["wrong", "long", "short"])
def test_other_bytes_once_are_fetched_again(server, archive, tmp_path, patience, fault):
    server.faults = [fault]
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("wrong", "received 3000000 bytes with sha256 "),
        ("long", "the server offers 3000004 bytes where 3000000 are missing by the catalogue"),
        ("short", "the server offers 2999993 bytes where 3000000 are missing"),
        (503, "the server answers 503 Service Unavailable"),
    ],
)
def test_lasting_faults_name_address_reason_and_remedy(server, archive, tmp_path, patience, fault, reason):
    server.faults = [fault] * patience.attempts
    with pytest.raises(RetrievalError) as caught:
        download(archive, tmp_path, patience=patience)
    message = str(caught.value)
    assert message.startswith(f"{archive.url}: ")
    assert reason in message
    assert "after 4 attempts; check the network and the address, or try again later" in message
    assert names(tmp_path) == []


def test_lasting_drops_keep_what_came(server, archive, tmp_path, patience):
    server.faults, server.ranges = ["drop"] * patience.attempts, False
    with pytest.raises(RetrievalError, match=r"the connection failed .* after 4 attempts"):
        download(archive, tmp_path, patience=patience)
    assert names(tmp_path) == [f"{NAME}.partial"]
    server.ranges = True
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT
    assert server.ranges_asked()[-1] == "bytes=1500000-"


def test_an_archive_that_comes_in_pieces_gets_here_in_the_end(server, tmp_path, patience):
    content = random.Random(1).randbytes(60 * 2**20)
    server.files["large.zip"] = content
    archive = Archive(
        "large.zip", len(content), "md5", hashlib.md5(content).hexdigest(), f"{server.mirror}/large.zip"
    )
    server.faults = ["drop"] * (patience.attempts + 1)
    assert download(archive, tmp_path, patience=patience).stat().st_size == len(content)
    assert len(server.log) == patience.attempts + 2


@pytest.mark.parametrize(
    ("fault", "reason"), [("stall", "Read timed out"), ("trickle", "the server sent only [0-9]+ bytes in")]
)
def test_a_connection_that_goes_to_sleep_is_left_and_resumed(
    server, archive, tmp_path, patience, caplog, fault, reason
):
    server.faults = [fault]
    hasty = dataclasses.replace(patience, read_timeout=0.5)
    assert download(archive, tmp_path, patience=hasty).read_bytes() == CONTENT
    first, second, *_ = server.ranges_asked()
    assert first is None
    assert int(second.removeprefix("bytes=").rstrip("-")) >= len(CONTENT) // 2
    assert re.search(reason, caplog.text)


@pytest.mark.parametrize("fault", ["redirect", "unsized"])
def test_what_is_unusual_but_right_is_taken(server, archive, tmp_path, patience, fault):
    server.faults = [fault]
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT


def test_redirects_in_a_circle_end(server, archive, tmp_path, patience):
    server.faults = ["loop"]
    with pytest.raises(RetrievalError, match=r"Exceeded 30 redirects.*; check the address"):
        download(archive, tmp_path, patience=patience)


def test_nothing_is_begun_that_does_not_fit_on_the_disk(server, archive, tmp_path, patience, monkeypatch):
    usage = type("Usage", (), {"free": 1_999_999})
    monkeypatch.setattr("spatial_prediction.retrieval.download.shutil.disk_usage", lambda _: usage)
    with pytest.raises(RetrievalError, match=r"3000000 bytes are missing, and .* has 1999999 left"):
        download(archive, tmp_path, patience=patience)
    assert server.log == []
    (tmp_path / f"{NAME}.partial").write_bytes(CONTENT[:1_000_001])
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT


def test_a_disk_that_fills_up_keeps_what_came(server, archive, tmp_path, patience):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(RetrievalError, match=r"cannot be written .*; make room or choose another folder"):
            download(archive, tmp_path, patience=patience)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / f"{NAME}.partial").read_bytes() == CONTENT[:1_000_000]
    assert download(archive, tmp_path, patience=patience).read_bytes() == CONTENT
    assert server.ranges_asked() == [None, "bytes=1000000-"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusals_are_not_repeated(server, archive, tmp_path, patience, status):
    server.faults = [status]
    with pytest.raises(RetrievalError, match=f"the server answers {status} "):
        download(archive, tmp_path, patience=patience)
    assert len(server.log) == 1


def test_unreachable_servers_are_named(tmp_path, patience):
    archive = Archive(NAME, 1, "md5", "0" * 32, "http://127.0.0.1:9/archive1.zip")
    with pytest.raises(RetrievalError, match=r"^http://127\.0\.0\.1:9/archive1\.zip: the connection failed"):
        download(archive, tmp_path, patience=patience)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a.zip", "nonsense"])
def test_only_web_addresses_are_fetched(tmp_path, patience, url):
    with pytest.raises(RetrievalError, match="check the address"):
        download(Archive(NAME, 1, "md5", "0" * 32, url), tmp_path, patience=patience)


def test_an_unusable_folder_is_named(archive, tmp_path, patience):
    (tmp_path / "file").touch()
    with pytest.raises(RetrievalError, match=r"file/archive1\.zip: cannot be written"):
        download(archive, tmp_path / "file", patience=patience)


@pytest.mark.parametrize(
    "name", ["../a.zip", "/a.zip", "a/b.zip", "..", ".a.zip", "", "a\\b.zip", "a\n.zip", "a" * 300]
)
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(RetrievalError, match="not a plain file name"):
        Archive(name, 1, "md5", "0" * 32, "http://x/")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "size 0"),
        ({"algorithm": "crc32"}, "algorithm 'crc32' is not known"),
        ({"checksum": "0" * 31}, "is not a checksum by md5"),
        ({"checksum": "z" * 32}, "is not a checksum by md5"),
    ],
)
def test_archives_that_cannot_be_verified_are_refused(changes, message):
    with pytest.raises(RetrievalError, match=message):
        Archive(
            **{"name": NAME, "size": 1, "algorithm": "md5", "checksum": "0" * 32, "url": "http://x/"}
            | changes
        )
