"""What is no cube, or no whole one, is refused in one line; what is written is whole or absent."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings

import netCDF4
import numpy as np
import pytest
import rasterio
from tests.cube_writer import BANDS, COLUMNS, ROWS, QuickMethod, cube, write_envi, write_geotiff, write_netcdf
from tests.helpers import REPOSITORY
from tests.line_networks import random_network
from tests.unit.test_full_disks import files_no_larger_than

from spatial_prediction.compression.container import ContainerReader
from spatial_prediction.compression.cubes import compress
from spatial_prediction.compression.integer_linerwkv import save_network
from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.compression.methods import METHODS
from spatial_prediction.cube_files import report
from spatial_prediction.cube_files.commands import compress_file, decompress_file
from spatial_prediction.cube_files.formats import RawSettings
from spatial_prediction.errors import ConfigurationError, SceneError, StreamError, WriteError
from spatial_prediction.output_files import unfinished


@pytest.fixture(autouse=True)
def quick_method(monkeypatch):
    monkeypatch.setitem(METHODS, "ccsds123", QuickMethod)


def header_replaced(path, old, new):
    header = path.with_suffix(".hdr")
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))


ENVI_FAULTS = {
    "shorter": (lambda path: path.write_bytes(path.read_bytes()[:-1]), "holds 534 bytes, .* 535 .*truncated"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "header is of another file"),
    "floats": (lambda path: floats(path, 4, "f4"), "samples of float32, .* int16 with a scale factor"),
    "doubles": (lambda path: floats(path, 5, "f8"), "samples of float64, .* int16 with a scale factor"),
    "64 bits": (lambda path: floats(path, 14, "i8"), "samples of int64, and cubes are .* from 8 to 32 bits"),
    "complex": (
        lambda path: header_replaced(path, "data type = 12", "data type = 6"),
        "data type = 6 is none",
    ),
    "no rows": (lambda path: header_replaced(path, "lines   = 11", "lines = 0"), "lines = 0 is no count"),
    "no lines": (lambda path: header_replaced(path, "lines   = 11", ""), "attribute lines holds no values"),
    "no type": (lambda path: header_replaced(path, "data type = 12", ""), "attribute data type holds no"),
    "no order": (lambda path: header_replaced(path, "interleave = bil", ""), "interleave =  is none of"),
    "no header": (lambda path: path.with_suffix(".hdr").unlink(), r"has no header .* say .* by --shape"),
    "no file": (lambda path: path.unlink(), "no such file"),
}


def floats(path, kind, dtype):
    header_replaced(path, "data type = 12", f"data type = {kind}")
    samples = np.full(ROWS * COLUMNS * BANDS, np.nan if dtype[0] == "f" else 1).astype(dtype)
    path.write_bytes(bytes(7) + samples.tobytes())


@pytest.mark.parametrize("name", ENVI_FAULTS)
def test_envi_files_that_are_no_whole_cube_are_refused(tmp_path, name):
    path = write_envi(tmp_path / "a.img", cube())
    damage, message = ENVI_FAULTS[name]
    damage(path)
    there = sorted(tmp_path.iterdir())
    with pytest.raises(SceneError, match=message) as caught:
        compress_file(path, tmp_path / "a.spc")
    assert str(caught.value).startswith(f"{path}: ")
    assert sorted(tmp_path.iterdir()) == there


@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64"])
def test_a_geotiff_of_no_whole_numbers_is_refused(tmp_path, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = {"driver": "GTiff", "height": 2, "width": 3, "count": 1, "dtype": dtype}
        with rasterio.open(tmp_path / "a.tif", "w", **settings) as file:
            file.write(np.full((1, 2, 3), np.nan, dtype))
    with pytest.raises(SceneError, match=rf"a\.tif: holds samples of {dtype}, .*docs/compression.md"):
        compress_file(tmp_path / "a.tif", tmp_path / "a.spc")


def test_a_geotiff_with_a_mask_is_refused(tmp_path):
    path = write_geotiff(tmp_path / "a.tif", cube(), nodata=None)
    with rasterio.open(path, "r+") as file:
        file.write_mask(np.ones((ROWS, COLUMNS), bool))
    with pytest.raises(SceneError, match="has a mask beside its bands"):
        compress_file(path, tmp_path / "a.spc")


def test_overviews_are_not_restored_and_that_is_said(tmp_path, caplog):
    path = write_geotiff(tmp_path / "a.tif", cube())
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2])
    compress_file(path, tmp_path / "a.spc")
    assert "its overviews will not be restored" in caplog.text


def test_a_nodata_value_that_no_sample_can_have_is_not_restored_and_that_is_said(tmp_path, caplog):
    path = write_geotiff(tmp_path / "a.tif", cube(), nodata=54321)
    path.write_bytes(path.read_bytes().replace(b"54321\0", b"-9999\0"))
    compress_file(path, tmp_path / "a.spc")
    assert "its nodata value -9999, which no sample can have, will not be restored" in caplog.text
    decompress_file(tmp_path / "a.spc", tmp_path / "b.tif")


def test_a_truncated_geotiff_is_refused(tmp_path):
    path = write_geotiff(tmp_path / "a.tif", cube(), compress=None, predictor=1)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SceneError, match=r"a\.tif: "):
        compress_file(path, tmp_path / "a.spc")
    assert not (tmp_path / "a.spc").exists()


@pytest.mark.parametrize(
    ("dtype", "sizes", "attributes", "message"),
    [
        ("f4", {"y": 2, "x": 3}, {}, "variable v holds samples of float32, .* scale factor"),
        ("i8", {"y": 2, "x": 3}, {}, "variable v holds samples of int64"),
        ("i2", {"y": None, "x": 3}, {}, "variable v has no samples"),
        ("i2", {"a": 2, "b": 3}, {}, "no variable with dimensions of rows and columns .* by --axes"),
        (str, {"y": 2, "x": 3}, {}, "variable v holds no numbers"),
    ],
)
def test_netcdf_files_without_a_cube_are_refused(tmp_path, dtype, sizes, attributes, message):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for name, size in sizes.items():
            file.createDimension(name, size)
        file.createVariable("v", dtype, tuple(sizes)).setncatts(attributes)
    with pytest.raises(SceneError, match=rf"a\.nc: .*{message}"):
        compress_file(tmp_path / "a.nc", tmp_path / "a.spc")


def test_what_of_a_netcdf_file_would_be_lost_is_refused(tmp_path, monkeypatch):
    path = write_netcdf(tmp_path / "a.nc", cube())
    monkeypatch.setattr("spatial_prediction.cube_files.netcdf_content.LARGEST", 100)
    with pytest.raises(SceneError, match="variables beside the cube take"):
        compress_file(path, tmp_path / "a.spc")
    monkeypatch.undo()
    with netCDF4.Dataset(path, "a") as file:
        file.createGroup("more")
    with pytest.raises(SceneError, match="has groups or types of its own"):
        compress_file(path, tmp_path / "a.spc")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"shape": (11, 6, 5)}, SceneError, r"holds 528 bytes, .* make 660 .*truncated; correct --shape"),
        ({"shape": (11, 6, 3)}, SceneError, "longer than stated"),
        ({"shape": (0, 6, 4)}, ConfigurationError, "--shape 0 6 4: give rows, columns and bands"),
        ({"interleave": "bqs"}, ConfigurationError, "--interleave bqs: must be one of"),
        ({"header_offset": -1}, ConfigurationError, "--header-offset -1: must be from 0"),
        ({"dtype": np.dtype("f2")}, SceneError, "holds samples of float16"),
    ],
)
def test_plain_numbers_are_what_is_said_of_them(tmp_path, settings, error, message):
    (tmp_path / "a.raw").write_bytes(cube().tobytes())
    raw = RawSettings((ROWS, COLUMNS, BANDS), np.dtype("<u2"))._replace(**settings)
    with pytest.raises(error, match=message):
        compress_file(tmp_path / "a.raw", tmp_path / "a.spc", raw=raw)


@pytest.fixture
def packed(tmp_path):
    compress_file(write_envi(tmp_path / "a.img", cube()), tmp_path / "a.spc", rows_per_group=4)
    return tmp_path / "a.spc"


def test_outputs_that_exist_or_are_inputs_are_left_alone(tmp_path, packed):
    path, whole = tmp_path / "a.img", packed.read_bytes()
    with pytest.raises(ConfigurationError, match=r"a\.spc: exists; .* --overwrite"):
        compress_file(path, packed)
    with pytest.raises(ConfigurationError, match=r"a\.img: is the input itself"):
        compress_file(path, path, overwrite=True)
    os.link(packed, tmp_path / "b.hdr")
    with pytest.raises(ConfigurationError, match=r"b\.hdr: is the input itself"):
        decompress_file(packed, tmp_path / "b.img", overwrite=True)
    with pytest.raises(ConfigurationError, match=r"is a folder"):
        decompress_file(packed, tmp_path)
    with pytest.raises(ConfigurationError, match=r"a\.hdr: is the input itself"):
        compress_file(path, tmp_path / "a.hdr", overwrite=True)
    for name in ("a.img", "a.hdr"):
        with pytest.raises(ConfigurationError, match="exists"):
            decompress_file(packed, tmp_path / name)
    assert packed.read_bytes() == whole


@pytest.mark.parametrize(
    ("writer", "right"), [(write_envi, "b.hdr"), (write_geotiff, "b.tif"), (write_netcdf, "b.nc")]
)
def test_the_ending_of_another_format_is_refused(tmp_path, writer, right):
    compress_file(writer(tmp_path / "a.x", cube()), tmp_path / "a.spc")
    for name in {"b.tif", "b.nc", "b.hdr"} - {right}:
        with pytest.raises(ConfigurationError, match=rf"--out .*{re.escape(name)}: what was compressed is"):
            decompress_file(tmp_path / "a.spc", tmp_path / name)
    decompress_file(tmp_path / "a.spc", tmp_path / right)


@pytest.mark.parametrize("rows", [(0, 12), (5, 5), (7, 3), (-1, 3)])
def test_rows_that_are_not_there_are_refused(tmp_path, packed, rows):
    with pytest.raises(ConfigurationError, match=f"--rows {rows[0]}:{rows[1]}: the cube has rows 0 to 11"):
        decompress_file(packed, tmp_path / "b.hdr", rows=rows)


def test_damage_is_named_and_leaves_no_cube(tmp_path, packed):
    whole = packed.read_bytes()
    place = whole.index(ContainerReader(io.BytesIO(whole)).read_group(1)) + 5
    packed.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    there = sorted(tmp_path.iterdir())
    with pytest.raises(StreamError, match=r"a\.spc: rows 4 to 7 of the cube are damaged"):
        decompress_file(packed, tmp_path / "b.hdr")
    with pytest.raises(StreamError, match="rows 4 to 7 of the cube are damaged, the others are not"):
        report.verify_file(packed)
    assert sorted(tmp_path.iterdir()) == there
    decompress_file(packed, tmp_path / "b.hdr", rows=(8, 11))  # which has no byte of the damaged group


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda whole: whole[:-1], "not written to its end"),
        (lambda whole: whole[: len(whole) // 2], "not written to its end|damaged"),
        (lambda whole: b"", "this is no compressed cube"),
        (lambda whole: b"II*\0" + whole[4:], "this is no compressed cube"),
        (lambda whole: whole[:30] + b"?" + whole[31:], "header of the compressed cube is damaged"),
        (lambda whole: compress(cube(), metadata={"format": "HDF4"}), "format 'HDF4', which is not known"),
    ],
)
def test_what_is_no_whole_compressed_file_is_refused(tmp_path, packed, content, message):
    packed.write_bytes(content(packed.read_bytes()))
    with pytest.raises(StreamError, match=rf"^{re.escape(str(packed))}: .*({message})"):
        decompress_file(packed, tmp_path / "b.hdr")
    with pytest.raises(StreamError, match=r"no-such\.spc: cannot be read"):
        decompress_file(tmp_path / "no-such.spc", tmp_path / "b.hdr")


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("ENVI", {"header": "no header"}),
        ("ENVI", {"header": 5}),
        ("ENVI", {}),
        ("ENVI", {"format": "ENVI", "interleave": "bil", "suffix": "", "header_name": ""}),
        ("raw", {"before_samples": "*"}),
        ("raw", {"interleave": ["bil"]}),
        ("GeoTIFF", {"crs": None}),
        ("netCDF", {"data_model": "NETCDF4", "cube": []}),
    ],
)
def test_metadata_of_another_form_are_an_error_and_leave_nothing(tmp_path, kind, changed):
    (tmp_path / "a.spc").write_bytes(compress(cube(), metadata={"format": kind, **changed}))
    out = tmp_path / {"ENVI": "b.hdr", "raw": "b.raw", "GeoTIFF": "b.tif", "netCDF": "b.nc"}[kind]
    with pytest.raises(StreamError, match=r"a\.spc: its metadata cannot be used"):
        decompress_file(tmp_path / "a.spc", out)
    assert [path.name for path in tmp_path.iterdir()] == ["a.spc"]
    if "header" in changed:
        with pytest.raises(StreamError, match=r"a\.spc: its metadata cannot be used"):
            list(report.describe_file(tmp_path / "a.spc"))


@pytest.mark.parametrize("writer", [write_envi, write_geotiff, write_netcdf])
def test_errors_never_touch_what_marks_missing_samples(tmp_path, writer):
    samples = np.full((ROWS, COLUMNS, BANDS), 50, "<u2")
    samples[3, 2, 1] = nodata = 99 if writer is write_netcdf else 9999
    samples[3, 2, 0] = nodata - 2
    path = writer(tmp_path / "a.x", samples)
    compress_file(path, tmp_path / "a.spc", delta=[1, 0, 3000, 1] if nodata == 9999 else [1, 0, 3, 1])
    compress_file(path, tmp_path / "b.spc", delta=0)
    for delta, band in ((1, 2), ([2, 0, 0, 0], 1)):
        with pytest.raises(ConfigurationError, match=f"band {band} has samples within it of {nodata}, which"):
            compress_file(path, tmp_path / "c.spc", delta=delta)
    assert not (tmp_path / "c.spc").exists()


@pytest.mark.parametrize("writer", [write_envi, write_geotiff, write_netcdf])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, writer):
    samples = np.random.default_rng(0).integers(0, 50_000, (ROWS, COLUMNS, BANDS)).astype("<u2")
    path = writer(tmp_path / "a.x", samples)
    endings = {write_envi: "b.img", write_geotiff: "b.tif", write_netcdf: "b.nc"}
    compress_file(path, tmp_path / "a.spc")
    there = sorted(tmp_path.iterdir())
    for limited, target in (
        (lambda target: compress_file(path, target), tmp_path / "c.spc"),
        (lambda target: decompress_file(tmp_path / "a.spc", target), tmp_path / endings[writer]),
    ):
        with files_no_larger_than(400), pytest.raises(WriteError) as caught:
            limited(target)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(str(tmp_path))
        assert sorted(tmp_path.iterdir()) == there


SLOW = """
import sys, time
from spatial_prediction.__main__ import main
from spatial_prediction.compression.methods import METHODS, METHODS_OF_NETWORKS, linerwkv
from tests.cube_writer import QuickMethod
class Slow:
    def __init__(self, method):
        self.method = method
    def encode(self, group, delta):
        time.sleep(0.3)
        return self.method.encode(group, delta)
    def decode(self, stream, shape, dtype, delta):
        time.sleep(0.3)
        return self.method.decode(stream, shape, dtype, delta)
METHODS["ccsds123"] = lambda: Slow(QuickMethod())
METHODS_OF_NETWORKS["linerwkv"] = lambda network: Slow(linerwkv(network))
main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "predictor"),
    [("b.img", "ccsds123"), ("b.tif", "ccsds123"), ("b.nc", "ccsds123"), ("b.img", "linerwkv")],
)
def test_a_killed_run_leaves_nothing_that_reads_as_whole(tmp_path, name, predictor):
    writers = {"b.img": write_envi, "b.tif": write_geotiff, "b.nc": write_netcdf}
    path = writers[name](tmp_path / f"a{name[1:]}", cube())
    packed, out = tmp_path / "a.spc", tmp_path / name
    network = None
    if predictor == "linerwkv":
        network = tmp_path / "network.safetensors"
        save_network(network, quantised(random_network()))
    given = ["--network", network] if network else []

    def killed(target, *arguments):
        command = [sys.executable, "-c", SLOW, *map(str, arguments)]
        running = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 300
        while not unfinished(target):
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        assert not target.exists()

    killed(packed, "compress", path, "--out", packed, "--rows-per-group", 1, "--predictor", predictor, *given)
    compress_file(path, packed, rows_per_group=1, predictor=predictor, network=network)
    killed(out, "decompress", packed, "--out", out, *given)
    assert not (tmp_path / "b.hdr").exists()
    decompress_file(packed, out, network=network)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_memory_does_not_grow_with_the_cube(tmp_path, monkeypatch):
    monkeypatch.setattr("spatial_prediction.cube_files.commands.SAMPLES_OF_GROUP", 40 * COLUMNS * BANDS)
    samples = np.tile(cube(), (1000, 1, 1))[:8000]
    path = write_envi(tmp_path / "a.bsq", samples, "bsq")
    header_replaced(path, "lines   = 11", "lines = 8000")
    header_replaced(path, "geo points", "; geo points")
    peaks = []
    for run in (
        lambda: compress_file(path, tmp_path / "b.spc"),
        lambda: decompress_file(tmp_path / "b.spc", tmp_path / "b.bsq"),
    ):
        tracemalloc.start()
        run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < samples.nbytes
