"""Every list of packages says the same: pyproject.toml, constraints.txt and the conda environments."""

import re
import tomllib
from importlib.metadata import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from tests.helpers import REPOSITORY

CONSTRAINTS = [
    line
    for line in (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
ENVIRONMENTS = ("cpu", "cuda12")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OLDEST = re.fullmatch(r">=(3\.\d+)", PROJECT["requires-python"])[1]


def normal(requirement):
    """Name of a requirement, as packages are compared."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def pins(python=OLDEST):
    """Version of each package that pip takes on a version of Python."""
    requirements = [Requirement(line) for line in CONSTRAINTS]
    chosen = [
        requirement
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"python_full_version": f"{python}.0"})
    ]
    found = {normal(requirement.name): str(requirement.specifier).lstrip("=") for requirement in chosen}
    assert len(found) == len(chosen), f"a package stands twice for Python {python}"
    return found


def environment(name):
    return yaml.safe_load((REPOSITORY / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))


def requirements(name):
    return environment(name)["dependencies"][-1]["pip"]


def test_constraints_are_plain_pins():
    # Neither address, nor path, nor option: nothing that holds on one machine only.
    marker = r"( ; python_full_version (<|>=) '3\.\d+')?"
    for line in CONSTRAINTS:
        assert re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+{marker}", line), line


@pytest.mark.parametrize("python", VERSIONS)
def test_each_package_is_pinned_once_for_every_python(python):
    assert set(pins(python)) == {normal(line) for line in CONSTRAINTS}
    assert "spatial-prediction" not in pins(python)


@pytest.mark.parametrize("python", VERSIONS)
def test_pins_keep_to_the_bounds_of_the_project(python):
    for line in [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]:
        requirement = Requirement(line)
        assert pins(python)[normal(requirement.name)] in requirement.specifier, line
    assert pins(python)["jaxlib"] == pins(python)["jax"]


def test_classifiers_name_versions_that_have_pins():
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    assert OLDEST in named
    assert named <= set(VERSIONS)


def test_neither_constraints_nor_environments_name_an_address():
    for path in (REPOSITORY / "constraints.txt", *(REPOSITORY / "envs").iterdir()):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path
        assert not re.search(r"(?<!emit-)index-url", text), path


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_constraints_pin_every_requirement(extra):
    wanted = PROJECT["dependencies"] if extra is None else EXTRAS[extra]
    assert {normal(requirement) for requirement in wanted} <= set(pins())


@pytest.mark.parametrize("path", ["Makefile", "constraints.txt"])
def test_installing_asks_for_extras_that_every_pip_finds(path):
    # The metadata hold normalised names, and pip before 23.3 does not normalise what it is asked for: it
    # warns, and installs without the extra.
    asked = re.search(r"--?e(?:ditable)? \"\.\[(.*?)\]\"", (REPOSITORY / path).read_text(encoding="utf-8"))
    assert set(asked[1].split(",")) == set(EXTRAS) - {"cuda12"}
    assert set(metadata("spatial_prediction").get_all("Provides-Extra")) == set(EXTRAS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_has_the_shape_that_conda_reads(name):
    read = environment(name)
    assert set(read) == {"channels", "dependencies"}
    assert read["channels"] == ["conda-forge", "nodefaults"]
    *packages, pip = read["dependencies"]
    assert packages == [f"python={OLDEST}", "pip"]
    assert set(pip) == {"pip"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_pins_what_the_study_needs_to_the_constraints(name):
    wanted = PROJECT["dependencies"] + [
        line for extra in ("rasters", "compression", "peers", "workflow") for line in EXTRAS[extra]
    ]
    expected = {normal(requirement): pins()[normal(requirement)] for requirement in wanted}
    assert {normal(line): line.partition("==")[2] for line in requirements(name)} == expected


def test_only_the_cuda_environment_asks_for_cuda():
    version = pins()["jax"]
    assert f"jax=={version}" in requirements("cpu")
    assert f"jax[cuda12]=={version}" in requirements("cuda12")
    assert pins()["jaxlib"] == pins()["jax-cuda12-plugin"] == version
    assert EXTRAS["cuda12"] == ["jax[cuda12]"]


def test_the_catalogue_of_workflows_finds_what_it_looks_for():
    usage = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))
    assert usage == {"usage": {"software-stack-deployment": {"conda": True}, "report": True}}
    assert (REPOSITORY / "Snakefile").exists()
    assert (REPOSITORY / "config" / "README.md").exists()
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8").casefold()
    assert "snakemake" in readme
    assert "workflow" in readme


def test_rules_name_an_environment_that_exists():
    for path in (REPOSITORY / "workflow" / "rules").rglob("*.smk"):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r'conda:\n        f"{ENVIRONMENTS}/([^"]+)"', text)
        assert len(named) == len(re.findall(r"^rule ", text, re.MULTILINE)), path.name
        assert all((REPOSITORY / "envs" / name).exists() for name in named)
