"""What is checked of every configuration, whatever the study."""

import pytest

from spatial_prediction.configuration import check_folders, check_places, check_shape
from spatial_prediction.errors import ConfigurationError

PLACES = {"results": "results", "resources": "resources"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["mine", "other"],
    "properties": {
        "mine": {
            "type": "object",
            "required": ["count"],
            "properties": {
                "count": {"type": "integer"},
                "name": {
                    "type": "string",
                    "pattern": "^[a-z]+\\Z",
                    "description": "must be of small letters",
                },
                "code": {"type": "string", "pattern": "^x"},
            },
        },
        "other": {"type": "integer"},
    },
}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "top level: lacks 'mine'; add it"),
        ({"mine": {}}, "mine: lacks 'count'; add it"),
        ({"mine": {"count": 1.0}}, "mine.count: is 1.0; must be a whole number"),
        (
            {"mine": {"count": 10**1000}},
            "mine.count: is a number of more than a thousand digits; give a small",
        ),
        ({"mine": {"count": 1, "name": "A"}}, "mine.name: is 'A'; must be of small letters"),
        ({"mine": {"count": 1, "code": "A"}}, "mine.code: is 'A'; must match ^x"),
        (
            {"mine": {"count": 1}, "othr": 1},
            "top level: unknown key 'othr'; did you mean 'other'? Known: mine",
        ),
    ],
)
def test_faults_of_the_keys_that_are_asked_for_are_told(config, message):
    with pytest.raises(ConfigurationError) as refusal:
        check_shape(config, SCHEMA, ["mine"])
    assert message in str(refusal.value)


@pytest.mark.parametrize("other", ["many", 10**1000, None])
def test_keys_that_are_not_asked_for_may_be_faulty_but_not_unknown(other):
    check_shape({"mine": {"count": 1}, "other": other}, SCHEMA, ["mine"])
    with pytest.raises(ConfigurationError):
        check_shape({"mine": {"count": 1}, "other": other}, SCHEMA, ["mine", "other"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"results": "./"}, r"^results: is './'; name a folder that holds nothing else$"),
        ({"resources": "-x"}, r"^resources: is '-x'; must not begin with -, as options do$"),
        ({"resources": " x"}, r"^resources: is ' x'; must not begin or end with a space$"),
        ({"resources": "a/../results"}, r"^results is 'results' and resources 'a/../results', which is one"),
    ],
)
def test_places_are_two_folders_of_their_own(change, message):
    check_places(PLACES)
    with pytest.raises(ConfigurationError, match=message):
        check_places(PLACES | change)


@pytest.mark.parametrize("key", ["results", "resources"])
def test_a_file_or_a_link_that_leads_nowhere_is_refused_as_a_folder(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a link").symlink_to("far/away")
    (tmp_path / "a good link").symlink_to("a folder")
    for place in ("a folder", "a folder/new", "a good link/new", "new/newer"):
        check_folders(PLACES | {key: place})
    for place in ("a file", "./a file/x/y/"):
        with pytest.raises(
            ConfigurationError, match=rf"^{key}: is '{place}', but 'a file' is a file; name a"
        ):
            check_folders(PLACES | {key: place})
    for place in ("a link", "a link/x"):
        told = f"^{key}: is '{place}', but 'a link' leads to 'far/away', which is not there; make that folder"
        with pytest.raises(ConfigurationError, match=told):
            check_folders(PLACES | {key: place})
