"""A folder of scenes upscaled by the workflow, each in a job of its own."""

import pytest
import rasterio
from tests.upscaled_scenes import network_file, scene, write_scene
from tests.workflow.study import Study


@pytest.fixture
def study(tmp_path):
    """A copy of the workflow, with two scenes and a network beside it."""
    made = Study(tmp_path / "study")
    scenes = made.folder / "my scenes"
    scenes.mkdir()
    for name, seed in (("first", 1), ("second one", 2)):
        write_scene(scenes / f"{name}.tif", scene(20, 24, seed=seed))
    network_file(made.folder)
    return made


def settings(**changed):
    chosen = {"scenes": "my scenes", "model": "repl.safetensors", "tile": 16} | changed
    text = ", ".join(f"{key}: {value}" for key, value in chosen.items())
    return "--config", "studies=[upscaling]", f"upscaling={{{text}}}"


def test_a_job_for_each_scene_is_planned_and_none_of_the_study(study):
    jobs = [job for job in study.planned(*settings(format="netcdf")) if job.rule != "all"]
    assert [job.rule for job in jobs] == ["upscale_scene"] * 2
    outputs = sorted(job.outputs[0] for job in jobs)
    assert outputs == ["results/upscaled/first.nc", "results/upscaled/second one.nc"]


def test_the_network_that_comes_with_the_package_needs_no_name(study):
    jobs = [job for job in study.planned(*settings(model="null")) if job.rule != "all"]
    assert [job.rule for job in jobs] == ["upscale_scene"] * 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scenes": "null"}, "upscaling.scenes: is null; name the folder"),
        ({"scenes": "nowhere"}, "nowhere: no such folder"),
        ({"compress": "lzw", "level": 3}, "level: 3 is not a level of 'lzw'"),
        ({"format": "netcdf", "compress": "lzw"}, "compress: is 'lzw'; choose one of none, deflate, zstd"),
        ({"tile": 0}, "upscaling.tile"),
    ],
)
def test_what_cannot_be_upscaled_is_said_before_anything_is_planned(study, changed, message):
    ended = study.snakemake("--dry-run", *settings(**changed))
    assert ended.returncode != 0
    assert message in ended.stdout


def test_two_scenes_of_one_name_are_refused(study):
    write_scene(study.folder / "my scenes" / "first.tiff", scene(20, 24))
    ended = study.snakemake("--dry-run", *settings(pattern='"*.tif*"'))
    assert "would give one output" in ended.stdout


@pytest.mark.slow
def test_all_scenes_are_upscaled(study):
    ended = study.snakemake("--cores", "1", *settings(), timeout=600)
    assert ended.returncode == 0, ended.stdout
    for name in ("first", "second one"):
        with rasterio.open(study.folder / "results" / "upscaled" / f"{name}.tif") as file:
            assert file.shape == (80, 96)
            assert file.transform.a == 2.5
    assert study.planned(*settings()) == []
