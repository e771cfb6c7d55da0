"""A folder of one's own scenes through the rules, whatever the names of its files."""

import json

import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine
from tests.scene_writer import random_bands, stacked, write_scene

SIZE = 200
NAMES = ["000001.nc", "scene 0 { é.nc", "it's $HOME & 2 more {}.nc"]
FOLDER = "my scenes"


@pytest.fixture
def folder(study):
    folder = study.folder / FOLDER
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(NAMES):
        write_scene(folder / name, random_bands((SIZE, SIZE), seed), BOA_ADD_OFFSET=0)
    (folder / ".half-written {y}.nc").touch()
    (folder / "a folder.nc").mkdir(exist_ok=True)
    return folder


def configure(study, **dataset):
    settings = {"source": "directory", "directory": {"path": FOLDER}, "scene_size": SIZE, "test_scenes": 1}
    (study.folder / "own.yaml").write_text(
        yaml.safe_dump({"dataset": settings | dataset, "figures": {"sample_scenes": [0]}}, allow_unicode=True)
    )


@pytest.mark.slow
def test_names_with_blanks_braces_and_signs_of_the_shell_are_scenes_like_any_other(study, folder):
    configure(study)
    ended = study.snakemake(
        "--cores", 1, "--configfile", "own.yaml", "--", "resources/arrays/summary.json", timeout=120
    )
    assert ended.returncode == 0, ended.stdout
    arrays = study.folder / "resources" / "arrays"
    summary = json.loads((arrays / "summary.json").read_text(encoding="utf-8"))
    assert sorted(summary["train"]["scenes"] + summary["test"]["scenes"]) == sorted(NAMES)
    for name, dn in zip(summary["train"]["scenes"], np.load(arrays / "train.npy"), strict=True):
        np.testing.assert_array_equal(dn, stacked(random_bands((SIZE, SIZE), NAMES.index(name)), SIZE))
    assert summary["offset"] == {
        "setting": "auto",
        "scenes": {"0": 3},
        "stated_by": {"BOA_ADD_OFFSET=0": 3},
    }


@pytest.mark.slow
def test_the_offset_of_the_configuration_reaches_the_arrays_and_makes_them_anew(study, folder):
    configure(study, offset=-1000)
    ended = study.snakemake(
        "--cores", 1, "--configfile", "own.yaml", "--", "resources/arrays/summary.json", timeout=120
    )
    assert ended.returncode == 0, ended.stdout
    summary = json.loads((study.folder / "resources/arrays/summary.json").read_text(encoding="utf-8"))
    assert summary["offset"]["scenes"] == {"-1000": 3}
    assert "dataset.offset: -1000" in (study.folder / "results/logs/build_arrays.log").read_text("utf-8")


def test_letters_in_braces_are_refused_by_name_before_anything_runs(study, folder):
    write_scene(folder / "scene 0 {x} é.nc", random_bands((SIZE, SIZE)))
    configure(study)
    ended = study.snakemake("--dry-run", "--configfile", "own.yaml")
    (folder / "scene 0 {x} é.nc").unlink()
    assert ended.returncode == 1
    assert "dataset.directory: the scene 'my scenes/scene 0 {x} é.nc' has braces in its name" in ended.stdout
    assert "Traceback" not in ended.stdout


@pytest.mark.slow
def test_geotiff_without_names_becomes_arrays_by_the_numbers_that_are_said(study):
    folder = study.folder / "tiffs"
    folder.mkdir()
    shape = {"count": 3, "height": SIZE, "width": SIZE, "transform": Affine(10, 0, 0, 0, -10, 0)}
    scenes = [
        np.random.default_rng(seed).integers(1, 4000, (3, SIZE, SIZE)).astype("uint16") for seed in (0, 1)
    ]
    for name, bands in zip("ab", scenes, strict=True):
        with rasterio.open(folder / f"{name}.tif", "w", driver="GTiff", dtype="uint16", **shape) as file:
            file.write(bands)
    configure(
        study,
        directory={"path": "tiffs", "pattern": "*.tif", "bands": ["3", "1", "2"], "nodata": 0, "scale": "dn"},
    )
    ended = study.snakemake(
        "--cores", 1, "--configfile", "own.yaml", "--", "resources/arrays/summary.json", timeout=120
    )
    assert ended.returncode == 0, ended.stdout
    arrays = study.folder / "resources" / "arrays"
    rows = np.concatenate([np.load(arrays / "train.npy"), np.load(arrays / "test.npy")])
    wanted = [np.moveaxis(bands[[2, 0, 1]], 0, -1) for bands in scenes]
    names = json.loads((arrays / "summary.json").read_text(encoding="utf-8"))
    order = ["ab".index(name[0]) for name in names["train"]["scenes"] + names["test"]["scenes"]]
    np.testing.assert_array_equal(rows, [wanted[index] for index in order])
