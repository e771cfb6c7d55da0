"""Results say where they come from, and which code they depend on."""

import hashlib
import json
import subprocess
import sys

import pytest
from tests.helpers import REPOSITORY

import spatial_prediction
from spatial_prediction import provenance as provenance_module
from spatial_prediction.provenance import code_dependencies, code_fingerprint, content_hash, provenance

PACKAGE = REPOSITORY / "src" / "spatial_prediction"


def dependencies(folder, source):
    script = folder / "script.py"
    script.write_text(source)
    return [path.relative_to(PACKAGE).as_posix() for path in code_dependencies(script)]


def test_the_record_names_versions_commit_and_settings():
    record = provenance(seed=3, learning_rate=0.014)
    assert record["spatial_prediction"] == spatial_prediction.__version__
    assert record["settings"] == {"seed": 3, "learning_rate": 0.014}
    assert record["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"jax", "equinox", "optax", "numpy"} <= record["packages"].keys()
    assert set(record) >= {"commit", "platform"}


def test_equal_runs_get_equal_records_that_can_be_stored():
    assert provenance(seed=3) == provenance(seed=3)
    assert json.loads(json.dumps(provenance(seed=3), allow_nan=False)) == provenance(seed=3)


def test_the_device_is_named_only_where_jax_is_in_use():
    import jax

    assert provenance()["device"] == jax.devices()[0].device_kind
    source = (
        "import sys; from spatial_prediction.provenance import provenance; "
        "assert 'device' not in provenance(); assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", source], check=True, timeout=60)


@pytest.fixture
def fresh_commit():
    """The commit is looked up anew, and the cache is left empty."""
    provenance_module._commit.cache_clear()
    yield
    provenance_module._commit.cache_clear()


@pytest.mark.usefixtures("fresh_commit")
def test_the_commit_is_marked_where_the_checkout_has_changes(tmp_path, monkeypatch):
    def git(*arguments):
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "file").write_text("old")
    git("add", "file")
    git("commit", "--quiet", "--message", "first")
    monkeypatch.setattr(provenance_module, "_PACKAGE", tmp_path)
    clean = provenance()["commit"]
    assert len(clean) == 12
    assert set(clean) <= set("0123456789abcdef")
    (tmp_path / "file").write_text("new")
    provenance_module._commit.cache_clear()
    assert provenance()["commit"] == f"{clean}-dirty"


@pytest.mark.usefixtures("fresh_commit")
def test_outside_of_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(provenance_module, "_PACKAGE", tmp_path)
    assert provenance()["commit"] is None


@pytest.mark.usefixtures("fresh_commit")
def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance()["commit"] is None


@pytest.mark.parametrize(
    "source",
    [
        "import spatial_prediction.files",
        "from spatial_prediction import files",
        "from spatial_prediction.files import read_json",
        "import spatial_prediction.files as store, json",
        "def main():\n    from spatial_prediction.files import read_json",
        "try:\n    import spatial_prediction.files\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_is_found_however_it_is_written(tmp_path, source):
    assert dependencies(tmp_path, source) == ["__init__.py", "errors.py", "files.py"]  # which files imports


def test_imports_of_imports_are_found_with_every_package_on_the_way(tmp_path):
    found = dependencies(
        tmp_path, "from spatial_prediction.studies.super_resolution.metrics.shells import mse_by_shell"
    )
    study = "studies/super_resolution"
    on_the_way = {f"{folder}/__init__.py" for folder in ("studies", study, f"{study}/metrics")}
    assert {"__init__.py", "errors.py", f"{study}/metrics/shells.py"} | on_the_way <= set(found)
    assert f"{study}/metrics/results.py" in found  # through the package's __init__
    assert found == sorted(found)


def test_other_packages_are_not_followed(tmp_path):
    assert dependencies(tmp_path, "import json, numpy\nfrom pathlib import Path") == []


def test_a_name_in_a_text_is_no_import(tmp_path):
    assert (
        dependencies(
            tmp_path,
            "'import spatial_prediction.files'  # import spatial_prediction.studies.super_resolution.config",
        )
        == []
    )


def test_the_fingerprint_changes_with_script_and_module_and_with_nothing_else(tmp_path, monkeypatch):
    package = tmp_path / "spatial_prediction"
    package.mkdir()
    for name in ("__init__", "used", "other"):
        (package / f"{name}.py").write_text("")
    script = tmp_path / "script.py"
    script.write_text("import spatial_prediction.used")
    monkeypatch.setattr(provenance_module, "_PACKAGE", package)
    before = code_fingerprint(script)

    (package / "other.py").write_text("VALUE = 1")
    assert code_fingerprint(script) == before
    (package / "used.py").write_text("VALUE = 1")
    edited = code_fingerprint(script)
    assert edited != before
    script.write_text("import spatial_prediction.used  # edited")
    assert code_fingerprint(script) not in {before, edited}


def test_the_hash_is_of_contents_in_order_and_keeps_files_apart(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    first.write_bytes(b"xy")
    second.write_bytes(b"z")
    third.write_bytes(b"")
    digest = hashlib.sha256(hashlib.sha256(b"xy").digest() + hashlib.sha256(b"z").digest())
    assert content_hash([first, second]) == digest.hexdigest()
    assert content_hash([second, first]) != digest.hexdigest()
    first.write_bytes(b"x")
    second.write_bytes(b"yz")
    assert content_hash([first, second]) != digest.hexdigest()
    assert content_hash([first, second]) != content_hash([first, second, third])
