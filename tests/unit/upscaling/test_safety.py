"""Nothing is lost, left behind or half-written, whatever ends a run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple

import pytest
import rasterio
import rasterio.shutil
from tests.upscaled_scenes import network_file, read, scene, write_scene

from spatial_prediction import output_files, process_lock
from spatial_prediction.errors import ConfigurationError, WriteError
from spatial_prediction.upscaling.scenes import upscale
from spatial_prediction.upscaling.settings import UpscaleSettings

pytestmark = pytest.mark.usefixtures("quick_compilation")

LIMITED = """
import resource, sys
from spatial_prediction.__main__ import main
from spatial_prediction.command import run
limit, *sys.argv[1:] = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
run(main)
"""


@pytest.fixture
def files(tmp_path):
    """Input, network and output."""
    source = write_scene(tmp_path / "in.tif", scene(150, 140))
    return source, network_file(tmp_path), tmp_path / "out.tif"


def hidden(folder):
    return sorted(each.name for each in folder.iterdir() if each.name.startswith("."))


@pytest.mark.slow
@pytest.mark.parametrize("format", ["cog", "gtiff", "netcdf"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_full_disk_is_one_line_and_leaves_nothing(files, tmp_path, format, share):
    """A limit on the size of files stands for a disk that is full at the beginning, midway, or at the end."""
    source, model, out = files
    out = out.with_suffix(".nc" if format == "netcdf" else ".tif")
    settings = UpscaleSettings(tile=128, format=format)
    upscale(source, out, model=model, settings=settings)
    largest = 150 * 140 * 16 * 3 * 2 if format == "cog" else out.stat().st_size
    out.unlink()
    command = ["upscale", source, "--model", model, "--out", out, "--format", format, "--tile", "128"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(int(share * largest)), *map(str, command)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    line = next(line for line in done.stderr.splitlines() if line.startswith("error:"))
    assert str(out) in line
    assert "ulimit" in line or "room" in line
    assert not out.exists()
    assert hidden(tmp_path) == []


def test_a_disk_without_room_is_refused_before_anything_is_computed(files, tmp_path, monkeypatch):
    source, model, out = files
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 0, 10**6))
    with pytest.raises(WriteError, match=r"out\.tif: takes about .* MB .* 1\.0 MB are free .*--format gtiff"):
        upscale(source, out, model=model)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.tif", "repl.safetensors"]


@pytest.mark.parametrize(
    ("tile", "compress", "strategy", "twice"),
    [
        (128, "zstd", "padding", False),
        (60, "zstd", "padding", True),
        (128, "zstd", "blend", True),
        (60, "none", "padding", False),
    ],
)
def test_a_geotiff_is_written_twice_where_blocks_would_be_compressed_twice(
    files, caplog, monkeypatch, tile, compress, strategy, twice
):
    source, model, out = files
    copied = []
    copy = rasterio.shutil.copy
    monkeypatch.setattr(rasterio.shutil, "copy", lambda *given, **more: copied.append(copy(*given, **more)))
    caplog.set_level("INFO")
    settings = UpscaleSettings(tile=tile, format="gtiff", compress=compress, strategy=strategy)
    upscale(source, out, model=model, settings=settings)
    assert bool(copied) is twice
    assert ("while it is made" in caplog.text) is twice
    with rasterio.open(out) as dataset:
        assert (dataset.height, dataset.width) == (600, 560)
        assert dataset.read(1).all()


@pytest.mark.slow
def test_a_killed_run_leaves_a_temporary_file_that_the_next_one_removes(files, tmp_path):
    source, model, out = files
    command = [sys.executable, "-m", "spatial_prediction", "upscale", source, "--model", model, "--out", out]
    running = subprocess.Popen([*map(str, command), "--tile", "4"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob(".out.*.partial*")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not out.exists()
    assert output_files.unfinished(out)
    upscale(source, out, model=model)
    assert hidden(tmp_path) == []
    with rasterio.open(out) as file:
        assert file.shape == (600, 560)


def test_only_files_of_this_output_are_removed(tmp_path):
    begun = [".a.0123abcd.partial.tif", ".a.0123abcd.partial.pixels.tif", ".a.0123abcd.partial.tif.ovr.tmp"]
    others = [
        ".a.b.0123abcd.partial.tif",
        ".a.0123abcd.partial.nc",
        ".a.txt",
        "a.partial.tif",
        ".a.tif.other",
    ]
    for name in begun + others:
        (tmp_path / name).touch()
    with output_files.only_writer(tmp_path / "a.tif"):
        assert hidden(tmp_path) == sorted([".a.tif.lock", *(each for each in others if each.startswith("."))])
    assert ".a.tif.lock" not in hidden(tmp_path)


def test_two_processes_do_not_write_one_output(files):
    source, model, out = files
    with process_lock.held_alone(out.with_name(".out.tif.lock")) as held:
        assert held
        with pytest.raises(ConfigurationError, match="another process is writing it"):
            upscale(source, out, model=model)
    assert not out.exists()


def test_an_output_that_was_there_survives_a_failure(files, monkeypatch):
    source, model, out = files
    upscale(source, out, model=model)
    before = out.read_bytes()
    monkeypatch.setattr("rio_cogeo.cogeo.cog_validate", lambda *_, **__: (False, ["no overviews"], []))
    with pytest.raises(WriteError, match="no valid COG: no overviews"):
        upscale(source, out, model=model, settings=UpscaleSettings(overwrite=True))
    assert out.read_bytes() == before
    assert hidden(out.parent) == []


def test_truncation_that_gdal_does_not_report_is_found(files):
    from spatial_prediction.rasters.gdal_writing import check_complete

    source, model, out = files
    upscale(source, out, model=model)
    check_complete(out)
    content = out.read_bytes()
    out.write_bytes(content[: len(content) - 100])
    with pytest.raises(OSError, match="its end is missing"):
        check_complete(out)
    assert read(source).any()
