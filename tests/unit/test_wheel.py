"""What is installed as a wheel, without a checkout, works or says what is missing."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile

import jaxlib
import pytest
from tests.helpers import REPOSITORY
from tests.quick_compiler import quick_compiler

from spatial_prediction import __version__, native

PACKAGED = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "src")
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
ABSENT = "are not compiled for this JAX"


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """What a wheel is built from, apart from the checkout, with kernels that nobody asked for in it."""
    folder = tmp_path_factory.mktemp("sources")
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
    for name in PACKAGED:
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=ignored)
        else:
            shutil.copy(path, folder / name)
    for left_over in ("src", "build/lib"):
        native_folder = folder / left_over / "spatial_prediction/native"
        native_folder.mkdir(parents=True, exist_ok=True)
        (native_folder / "kernels-0.1-0123456789abcdef.so").touch()
    return folder


def built(sources, folder, **environment):
    """Wheel, and where it lies unpacked."""
    result = run("-c", BUILD, str(folder), cwd=sources, **environment)
    assert result.returncode == 0, result.stderr
    wheel = folder / result.stdout.splitlines()[-1]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return wheel, folder / "installed"


@pytest.fixture(scope="module")
def pure(sources, tmp_path_factory):
    return built(sources, tmp_path_factory.mktemp("pure"))


@pytest.fixture
def installed(pure, tmp_path):
    """Run the installed command in an empty folder, after some lines of Python."""

    def command(*arguments, before=""):
        program = f"{before}\nfrom spatial_prediction.__main__ import run; run()"
        return run("-c", program, *arguments, cwd=tmp_path, PYTHONPATH=str(pure[1]))

    return command


def test_the_default_wheel_is_pure_and_holds_the_sources_of_the_kernels_and_a_network(pure):
    wheel, folder = pure
    assert wheel.name == f"spatial_prediction-{__version__}-py3-none-any.whl"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    expected = {
        str(path.relative_to(REPOSITORY / "src"))
        for kind in ("*.py", "*.cc", "*.h", "*.json", "py.typed", "models/bundled/*.safetensors")
        for path in (REPOSITORY / "src").rglob(kind)
    }
    assert {name for name in files if ".dist-info/" not in name} == expected
    (entry_points,) = folder.glob("*.dist-info/entry_points.txt")
    declared = configparser.ConfigParser()
    declared.read_string(entry_points.read_text())
    assert {section: dict(declared[section]) for section in declared.sections()} == {
        "console_scripts": {"spatial-prediction": "spatial_prediction.__main__:run"},
        "zarr.codecs": {"spatial_prediction": "spatial_prediction.compression.zarr_codec:CubeCodec"},
    }


def test_the_wheel_is_what_runs(pure, tmp_path):
    program = "import spatial_prediction; print(spatial_prediction.__file__)"
    found = run("-c", program, cwd=tmp_path, PYTHONPATH=str(pure[1]))
    assert found.stdout.strip() == str(pure[1] / "spatial_prediction/__init__.py")


def test_the_network_of_the_wheel_is_read(pure, tmp_path):
    program = "from spatial_prediction.models import bundled_network; print(bundled_network().output_crop)"
    read = run("-c", program, cwd=tmp_path, PYTHONPATH=str(pure[1]))
    assert read.stdout == "0\n", read.stderr


def test_version(installed):
    told = installed("--version")
    assert (told.returncode, told.stdout) == (0, f"spatial-prediction {__version__}\n")


def test_help_of_every_command(installed):
    told = installed("--help")
    assert told.returncode == 0
    commands = re.findall(r"^    (\w[\w-]*)  ", told.stdout, re.MULTILINE)
    assert "estimate" in commands
    for name in commands:
        described = installed(name, "--help")
        assert described.returncode == 0, described.stderr
        assert name in described.stdout


def test_an_estimate_without_a_study_says_where_to_run_it(installed):
    ended = installed("estimate")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: config.yaml: cannot be read")
    assert "in the folder of the study, a checkout of the repository" in line


def test_an_estimate_without_pyyaml_names_the_extra(installed):
    ended = installed("estimate", before="import sys; sys.modules['yaml'] = None")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: the Python package 'yaml' is not installed in ")
    assert "extra 'workflow'" in line


def test_an_estimate_by_the_wheel_in_a_checkout(pure):
    ended = run(
        "-m", "spatial_prediction", "estimate", "--presets", "none", cwd=REPOSITORY, PYTHONPATH=str(pure[1])
    )
    assert ended.stderr.startswith("error: --presets: none not in the configuration")


def test_absent_kernels_are_told_at_first_use(pure, tmp_path):
    program = "from spatial_prediction import native; print(native.available())"
    used = run("-c", program, cwd=tmp_path, PYTHONPATH=str(pure[1]))
    assert used.stdout == "False\n"
    (line,) = used.stderr.splitlines()
    assert ABSENT in line


def test_a_wheel_with_kernels_is_for_this_platform_and_uses_them(sources, tmp_path):
    if not native.library_path().exists():
        pytest.skip("kernels are not compiled (python -m spatial_prediction.native)")
    compiler = quick_compiler(tmp_path, native.library_path())
    wheel, folder = built(sources, tmp_path, SPATIAL_PREDICTION_WHEEL_KERNELS="1", **compiler)
    assert re.fullmatch(rf"spatial_prediction-{re.escape(__version__)}-py3-none-(?!any)\w+\.whl", wheel.name)
    (library,) = folder.rglob("*.so")
    assert library.relative_to(folder).parts[:2] == ("spatial_prediction", "native")
    assert library.name.startswith(f"kernels-{jaxlib.__version__}-")
    (metadata,) = folder.glob("*.dist-info/WHEEL")
    assert "Root-Is-Purelib: false" in metadata.read_text()
    program = "from spatial_prediction import native; print(native.available())"
    used = run("-c", program, cwd=tmp_path, PYTHONPATH=str(folder))
    assert (used.stdout, used.stderr) == ("True\n", "")


@pytest.mark.parametrize(("asked", "needed"), [("0", False), ("1", True)])
def test_only_a_wheel_with_kernels_needs_jax_to_be_built_and_the_oldest(sources, asked, needed):
    ask = "from setuptools import build_meta; print(build_meta.get_requires_for_build_wheel())"
    told = run("-c", ask, cwd=sources, SPATIAL_PREDICTION_WHEEL_KERNELS=asked)
    pins = re.findall(r"'jax==([\d.]+)'", told.stdout)
    assert bool(pins) == needed
    oldest = re.search(r'"jax>=([\d.]+),', (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))[1]
    assert all(pin.startswith(oldest) for pin in pins)
