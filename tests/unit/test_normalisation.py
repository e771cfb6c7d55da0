"""The command line's text becomes what the schema has; paths take one plain form."""

import copy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers import REPOSITORY

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.normalisation import plain_path, read_mapping, typed, value_of, with_plain_paths

CONFIGURATION = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
SCHEMA = yaml.safe_load(
    (REPOSITORY / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
)


def as_text(value):
    """Every value as Snakemake gives it inside a list or mapping of ``--config``."""
    if isinstance(value, dict):
        return {key: as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return yaml.safe_dump(value).splitlines()[0] if not isinstance(value, str) else value


@pytest.mark.parametrize("section", [*CONFIGURATION])
def test_a_configuration_comes_back_from_text(section):
    text = {section: as_text(CONFIGURATION[section])}
    assert typed(text, SCHEMA) == {section: CONFIGURATION[section]}


def test_values_of_the_right_type_stay_and_nothing_is_changed_in_place():
    before = copy.deepcopy(CONFIGURATION)
    assert typed(CONFIGURATION, SCHEMA) == CONFIGURATION == before


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("seeds", ["x", "1e3", "9" * 4999 + "x", "0x", "9" * 5000, "[1]", "{a: 1}", "2020-01-01", "", "&"]),
        ("training", {"steps": "many", "learning_rate": "1e-3"}),
        ("unheard_of", {"of": ["1"]}),
        ("presets", ["1", "null"]),
        ("results", "1"),
    ],
)
def test_text_that_is_nothing_else_or_wanted_as_text_stays(section, value):
    assert typed({section: value}, SCHEMA) == {section: value}


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_whatever_is_given_for_a_key_is_left_to_the_check(value):
    for key in ("seeds", "training", "results", "custom_presets"):
        typed({key: value}, SCHEMA)


def test_paths_are_expanded_by_key_and_others_are_left(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    config = {
        "results": "~/a b/",
        "resources": "./x//y",
        "of": {"a": {"path": "~", "pattern": "~/*"}, "b": None},
    }
    before = copy.deepcopy(config)
    plain = with_plain_paths(config, ["results", "resources", "of.a.path", "of.b"])
    assert config == before
    assert (plain["results"], plain["resources"]) == ("/home/me/a b", "x/y")
    assert plain["of"] == {"a": {"path": "/home/me", "pattern": "~/*"}, "b": None}


def test_a_key_with_dots_is_looked_up_section_by_section():
    assert value_of({"a": {"b": {"c": 1}}}, "a.b.c") == 1


def test_a_plain_path_stays():
    assert plain_path("../results/my study") == "../results/my study"


UNREADABLE = {
    "not UTF-8": (b"\xff\xfe\x00", "cannot be read ('utf-8' codec"),
    "broken": (b"a: [1\n", "cannot be read (while parsing a flow sequence"),
    "hostile": (
        b"a: !!python/object/apply:os.getcwd []\n",
        "cannot be read (could not determine a constructor",
    ),
    "nested without end": (b"[" * 100_000, "cannot be read ("),
    "a list that holds itself": (b"a: &a [*a]\n", "a.0: holds itself, by an alias (*) within its own anchor"),
    "a mapping that holds itself": (b"a: {b: &b {c: [1, *b]}}\n", "a.b.c.1: holds itself"),
    "wholly within itself": (b"&a {b: *a}\n", "b: holds itself"),
    "a list": (b"- 1\n", "holds no keys with values"),
    "empty": (b"", "holds no keys with values"),
}
"""Content, and what is said of it."""


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_is_no_configuration_is_told_in_one_line(tmp_path, kind):
    content, fault = UNREADABLE[kind]
    path = tmp_path / "my overlay.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as told:
        read_mapping(path, "mend it")
    assert str(told.value).startswith(f"{path}: {fault}")
    assert str(told.value).endswith("; mend it")
    assert "\n" not in str(told.value)


def test_an_alias_that_ends_is_read(tmp_path):
    path = tmp_path / "overlay.yaml"
    path.write_text("a: &a [1]\nb: [*a, *a]\nc: {d: *a}\n")
    assert read_mapping(path, "") == {"a": [1], "b": [[1], [1]], "c": {"d": [1]}}


def test_a_key_that_holds_itself_is_told_where_snakemake_has_read_the_file():
    with pytest.raises(ConfigurationError, match=r"^seeds\.1: holds itself, .*; write out what is meant$"):
        typed(yaml.safe_load("seeds: &a [0, *a]"), SCHEMA)


@pytest.mark.parametrize("content", ["seeds: [0]\n", '{\n\t"seeds": [0]\n}\n'])
def test_a_configuration_is_yaml_or_json(tmp_path, content):
    path = tmp_path / "overlay.yaml"
    path.write_text(content)
    assert read_mapping(path, "") == {"seeds": [0]}
