"""The plan of the house: who may import whom, what stays light, what is never done, what is documented."""

import ast
import re
import subprocess
import sys

import pytest
from tests.helpers import REPOSITORY

PACKAGE = REPOSITORY / "src" / "spatial_prediction"
STUDIES = "spatial_prediction.studies"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((REPOSITORY / "scripts").rglob("*.py"))

LEVELS = (
    {
        "background",
        "errors",
        "names",
        "files",
        "output_files",
        "named_arrays",
        "tidy_tables",
        "progress",
        "command",
        "normalisation",
        "configuration",
        "process_lock",
        "provenance",
        "reflectance",
        "training_settings",
        "differentiation",
        "compiled_programs",
    },
    {"native", "rasters", "statistics", "training", "plotting", "gaussian_process", "compression"},
    {"padding", "retrieval", "interpolation", "cube_files"},
    {"convolution"},
    {"models", "tiling"},
    {"upscaling"},
    {"studies"},
    {"cli"},
    {"__main__"},
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}


def name_of(path):
    return str(path.relative_to(REPOSITORY))


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path):
    """First part of the path inside the package: a folder, or a module that stands by itself."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_imported(tree):
    """Rooms of the package that a module imports, wherever in it the statement stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the room"
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        parts = [module.split(".") for module in modules]
        yield from (path[1] for path in parts if path[0] == "spatial_prediction" and path[1:2])


def public_definitions(tree, prefix=""):
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node, f"{prefix}{node.name}.")


def called_names(tree):
    """Every call as written: ``pickle.load``, ``eval``."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def imported_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_room_has_its_level():
    rooms = {room_of(path) for path in MODULES} - {"__init__"}
    assert rooms == set(LEVEL), "give the new room a level here and in the package's docstring"


def test_the_docstring_of_the_package_lists_every_room_in_order_of_level():
    listed = re.findall(r"``(\w+)``", ast.get_docstring(parsed(PACKAGE / "__init__.py")))
    assert set(listed) == set(LEVEL), "the docstring of the package lists other rooms"
    levels = [LEVEL[room] for room in dict.fromkeys(listed)]
    of_folders = [level for level in levels if level not in (1, 2)]  # retrieval stands beside what it is for
    assert of_folders == sorted(of_folders)


def test_studies_import_no_other_study():
    for path in (PACKAGE / "studies").rglob("*.py"):
        study = path.relative_to(PACKAGE / "studies").parts[0]
        others = {
            name.split(".")[2] for name in imported_names(parsed(path)) if name.startswith(f"{STUDIES}.")
        }
        assert others <= {study}, f"{name_of(path)} imports another study"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms_import_lower_levels_only(path):
    room = room_of(path)
    imported = set(rooms_imported(parsed(path))) - {room}
    if room == "__init__":
        assert not imported
        return
    for other in imported & set(LEVEL):
        # Modules of the lowest level may use each other; rooms above it stand alone beside their neighbours.
        assert LEVEL[other] < LEVEL[room] or LEVEL[room] == 0 == LEVEL[other], f"{room} imports {other}"


def test_paddings_that_lost_are_known_only_where_names_become_objects():
    room = PACKAGE / "padding" / "contrib"
    knowing = {
        name_of(path)
        for path in MODULES
        if room not in path.parents
        and any(
            f"{name}.".startswith("spatial_prediction.padding.contrib.")
            for name in imported_names(parsed(path))
        )
    }
    assert knowing == {"src/spatial_prediction/padding/_names.py"}


@pytest.mark.parametrize(
    "module",
    [
        "spatial_prediction",
        "spatial_prediction.names",
        "spatial_prediction.studies.super_resolution.validation",
        "spatial_prediction.cli.compress",
        "spatial_prediction.cli.decompress",
        "spatial_prediction.cli.estimate",
        "spatial_prediction.cli.export",
        "spatial_prediction.cli.inspect",
        "spatial_prediction.cli.interpolate",
        "spatial_prediction.cli.upscale",
        "spatial_prediction.compression.predictors",
        "spatial_prediction.cube_files",
        "spatial_prediction.rasters",
        "spatial_prediction.retrieval.parallel_retrieval",
        "spatial_prediction.studies.compression.figures.arguments",
        "spatial_prediction.studies.compression.results",
        "spatial_prediction.studies.compression.validation",
        "spatial_prediction.studies.interpolation.figures.arguments",
        "spatial_prediction.studies.interpolation.stages.evaluation",
        "spatial_prediction.studies.interpolation.validation",
        "spatial_prediction.studies.super_resolution.metrics",
        "spatial_prediction.studies.super_resolution.data",
    ],
)
def test_light_modules_import_no_jax(module):
    code = f"import sys, {module}; print(*sorted({{'jax', 'equinox', 'optax'}} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_what_applies_networks_is_not_made_anew_when_their_training_changes():
    stages = "spatial_prediction.studies.super_resolution.stages"
    modules = ", ".join(f"{stages}.{stage}" for stage in ("crossings", "evaluation", "samples", "seams"))
    code = f"import sys, {modules}; print('spatial_prediction.training' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False"]


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=name_of)
def test_nothing_unpickles_or_runs_text(path):
    tree = parsed(path)
    assert not set(imported_names(tree)) & {
        "pickle",
        "cPickle",
        "dill",
        "cloudpickle",
        "joblib",
        "shelve",
        "marshal",
    }
    assert not called_names(tree) & {"eval", "exec", "compile", "os.system", "os.popen", "pd.read_pickle"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            risky = [
                k.arg for k in node.keywords if isinstance(k.value, ast.Constant) and k.value.value is True
            ]
            assert "allow_pickle" not in risky
            assert "shell" not in risky


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_public_is_documented(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "the module says nothing of itself"
    undocumented = [name for name, node in public_definitions(tree) if not ast.get_docstring(node)]
    assert undocumented == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_docstrings_keep_to_one_dialect(path):
    """Attributes, not fields; what follows a name and a colon goes on in lower case, as a sentence would."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"^\s+Fields:$", text, re.MULTILINE)
    assert re.findall(r"^ +[A-Z]\w*Error: [A-Z][a-z]\w*", text, re.MULTILINE) == []


def test_no_two_files_of_tests_have_one_name():
    """Pytest cannot import the second of them."""
    names = [path.name for path in (REPOSITORY / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
