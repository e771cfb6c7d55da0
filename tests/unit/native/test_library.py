"""Which compiled library is found, what is said where there is none, and what compiling leaves behind."""

import os
import re
import shutil
import subprocess
import sys

import jax
import jaxlib
import pytest
from tests.quick_compiler import quick_compiler

from spatial_prediction import native

AVAILABLE = "from spatial_prediction import native; print(native.available(), native.available())"
ABSENT = "the kernels of spatial_prediction"
ANOTHER_STATE = "0123456789abcdef"


@pytest.fixture
def package(tmp_path):
    """A copy of the package without compiled kernels."""
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(native.FOLDER.parent, tmp_path / "spatial_prediction", ignore=ignored)
    return tmp_path / "spatial_prediction"


@pytest.fixture
def python(package):
    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, *arguments],
            env=os.environ | {"PYTHONPATH": str(package.parent)} | environment,
            capture_output=True,
            text=True,
            timeout=300,
            cwd=package.parent,
        )

    return run


@pytest.fixture
def quick(tmp_path):
    """Environment with a compiler whose library is empty."""
    library = tmp_path / "library"
    library.touch()
    return quick_compiler(tmp_path, library)


@pytest.fixture
def compiled():
    """The library of the checkout for this JAX."""
    if not native.library_path().exists():
        pytest.skip("kernels are not compiled (python -m spatial_prediction.native)")
    return native.library_path()


def named(version, state=None):
    """Name of the library for a version of jaxlib, from the sources as they are unless told."""
    return f"kernels-{version}-{state or native.library_path().stem.split('-')[2]}.so"


def test_without_a_compiler_everything_goes_on_with_xla(python, tmp_path):
    built = python("-m", "spatial_prediction.native", PATH=str(tmp_path), CXX="")
    assert built.returncode == 1
    (line,) = built.stderr.splitlines()
    assert line.startswith("error: nothing compiled, XLA computes instead: no C++ compiler")
    found = python("-c", AVAILABLE)
    assert found.returncode == 0
    assert found.stdout.split() == ["False", "False"]


def test_without_a_compiler_the_library_that_was_shipped_stays_in_use(python, package, tmp_path):
    shipped = package / "native" / named("0.10.0")
    shipped.touch()
    told = python("-m", "spatial_prediction.native", PATH=str(tmp_path), CXX="").stderr
    assert told.startswith(f"error: nothing compiled, {shipped} computes instead: no C++ compiler")


def test_absent_kernels_are_told_once_with_their_cost_and_the_remedy(python):
    (line,) = python("-c", AVAILABLE).stderr.splitlines()
    assert line.startswith(f"{ABSENT} are not compiled for this JAX: ")
    assert "15 to 35 times more slowly" in line
    assert "`python -m spatial_prediction.native`" in line


def test_nothing_is_said_where_kernels_are_not_wanted(python):
    found = python("-c", AVAILABLE, SPATIAL_PREDICTION_NATIVE="0")
    assert (found.stdout, found.stderr) == ("False False\n", "")


def test_nothing_is_said_on_an_accelerator(monkeypatch, caplog):
    monkeypatch.setattr(native, "usable_libraries", list)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    native._library.cache_clear()
    assert not native.available()
    assert caplog.records == []
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert not native.available()
    assert len(caplog.records) == 1  # the test sees what would have been said
    native._library.cache_clear()


def test_a_library_that_cannot_be_loaded_is_told(python, package):
    (package / "native" / native.library_path().name).write_bytes(b"no machine code")
    found = python("-c", AVAILABLE)
    assert found.stdout.split() == ["False", "False"]
    (line,) = found.stderr.splitlines()
    assert line.startswith(f"{ABSENT} cannot be loaded (")


def test_the_library_of_this_jax_comes_first_then_earlier_ones_and_never_a_later_one(package, monkeypatch):
    monkeypatch.setattr(native, "FOLDER", package / "native")
    earlier = [named("0.9.12"), named("0.10.0")]
    for name in (*earlier, named("999.0"), named("0.10.0", ANOTHER_STATE), named(jaxlib.__version__)):
        (package / "native" / name).touch()
    assert [path.name for path in native.usable_libraries()] == [
        named(jaxlib.__version__),
        *reversed(earlier),
    ]


def test_a_library_compiled_for_an_earlier_jax_computes(python, package, compiled):
    """Its headers are those of this JAX; what is tried is that it is found."""
    shutil.copy(compiled, package / "native" / named("0.10.0"))
    computed = python(
        "-c",
        f"{AVAILABLE}\nimport jax.numpy as jnp\nfrom spatial_prediction.padding import padding_from_name\n"
        "print(padding_from_name('lp2x3', ((1, 1), (1, 1)))(jnp.ones((1, 16, 16))).shape)",
    )
    assert (computed.stdout, computed.stderr) == ("True True\n(1, 18, 18)\n", "")


def test_compiling_shows_progress_and_names_the_library(python, package, quick):
    built = python("-m", "spatial_prediction.native", **quick)
    library = package / "native" / native.library_path().name
    assert (built.returncode, built.stdout) == (0, f"compiled kernels: {library}\n")
    files = len(native.SOURCES)
    assert re.search(rf"Compiling the kernels: {files} of {files} files in [\d.]+ s$", built.stderr.strip())
    assert library.exists()
    again = python("-m", "spatial_prediction.native", CXX="/nowhere")
    assert (again.returncode, again.stdout, again.stderr) == (0, built.stdout, "")


def test_compiling_removes_what_earlier_sources_left_and_keeps_what_other_versions_use(
    python, package, quick
):
    folder = package / "native"
    stale = folder / named(jaxlib.__version__, ANOTHER_STATE)
    kept = [folder / named("0.10.0"), folder / named("999.0"), folder / named("0.10.0", ANOTHER_STATE)]
    kept = [path for path in kept if path != stale]
    for path in (stale, *kept):
        path.touch()
    assert python("-m", "spatial_prediction.native", **quick).returncode == 0
    assert sorted(folder.glob("kernels-*")) == sorted([*kept, folder / native.library_path().name])


def test_a_compiler_that_fails_is_told_and_leaves_nothing(python, package):
    built = python("-m", "spatial_prediction.native", CXX="false")
    assert built.returncode == 1
    assert "false failed" in built.stderr
    assert "Traceback" not in built.stderr
    assert list((package / "native").glob("*.so")) == []


def test_a_folder_that_cannot_be_written_is_named(python, package):
    shutil.rmtree(package / "native" / "__pycache__", ignore_errors=True)
    blocked = package / "native" / native.library_path().name
    failed = python(
        "-c",
        "import pathlib; from spatial_prediction import native; native.build(pathlib.Path('/proc/nowhere'))",
        CXX="true",
    )
    assert "CompilationError: " in failed.stderr
    assert f"the compiled kernels would be /proc/nowhere/{blocked.name}" in failed.stderr
