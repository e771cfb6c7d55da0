"""Zarr arrays of whole numbers, compressed chunk by chunk: whatever memory Zarr hands over comes back."""

import subprocess
import sys
import tomllib

import numpy as np
import pytest
import xarray
import zarr
from tests.compressed_streams import smooth_cube
from tests.cube_writer import QuickMethod
from tests.helpers import REPOSITORY
from zarr.registry import register_codec
from zarr.storage import MemoryStore

from spatial_prediction.compression import decompress
from spatial_prediction.compression.methods import METHODS
from spatial_prediction.compression.zarr_codec import CubeCodec
from spatial_prediction.errors import ConfigurationError, StreamError

pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")


@pytest.fixture(autouse=True)
def registered():
    """What the entry point of an installed package does."""
    register_codec("spatial_prediction", CubeCodec)


@pytest.fixture
def quick_method(monkeypatch):
    monkeypatch.setitem(METHODS, "ccsds123", QuickMethod)


def array(shape, chunks, dtype="uint16", codec=None, **settings):
    return zarr.create_array(
        MemoryStore(), shape=shape, chunks=chunks, dtype=dtype, serializer=codec or CubeCodec(), **settings
    )


SAMPLES = np.arange(7 * 6 * 5).reshape(7, 6, 5) * 89 % 2003
MEMORY = {
    "as stored": lambda samples: samples,
    "other byte order": lambda samples: samples.astype(samples.dtype.newbyteorder()),
    "Fortran": np.asfortranarray,
    "backwards": lambda samples: samples[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "part of another": lambda samples: np.repeat(np.repeat(samples, 2, axis=2), 3, axis=0)[::3, :, ::2],
    "bands last": lambda samples: np.moveaxis(np.ascontiguousarray(np.moveaxis(samples, 0, -1)), -1, 0),
    "other byte order, strided": lambda samples: np.repeat(samples, 2, axis=1).astype(
        samples.dtype.newbyteorder()
    )[:, ::2],
}


@pytest.mark.usefixtures("quick_method")
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("chunks", [(7, 6, 5), (2, 4, 3)], ids=["one chunk", "edge chunks"])
@pytest.mark.parametrize("dtype", ["<u2", ">i2", "<i4"])
def test_memory_of_any_layout_comes_back(memory, chunks, dtype):
    samples = MEMORY[memory](SAMPLES.astype(dtype))
    stored = array(samples.shape, chunks, dtype)
    stored[:] = samples
    np.testing.assert_array_equal(stored[:], SAMPLES)
    np.testing.assert_array_equal(stored[3:6, 1, ::2], SAMPLES[3:6, 1, ::2])
    stored[4, 5, 1] = 77
    assert stored[4, 5, 1] == 77
    assert stored[4, 5, 2] == SAMPLES[4, 5, 2]


@pytest.mark.usefixtures("quick_method")
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32"])
@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 4, 5), (2, 3, 4, 3), (1, 1, 1)])
@pytest.mark.parametrize("band_axis", [0, -1, 1])
def test_the_whole_range_of_every_type_and_any_number_of_dimensions_come_back(dtype, shape, band_axis):
    info = np.iinfo(dtype)
    samples = np.random.default_rng(0).integers(info.min, info.max, shape, dtype, endpoint=True)
    stored = array(shape, tuple(max(1, size - 1) for size in shape), dtype, CubeCodec(band_axis=band_axis))
    stored[...] = samples
    np.testing.assert_array_equal(stored[...], samples)


@pytest.mark.usefixtures("quick_method")
def test_chunks_that_are_too_wide_for_a_predictor_come_back():
    samples = (np.arange(70_000) % 251).astype("u1")
    for shape in ((70_000,), (1, 70_000), (70_000, 1, 1)):
        stored = array(shape, shape, "u1")
        stored[:] = samples.reshape(shape)
        np.testing.assert_array_equal(stored[:], samples.reshape(shape))


@pytest.mark.usefixtures("quick_method")
def test_shards_come_back():
    stored = array((7, 6, 5), (2, 3, 5), "i2", CubeCodec(band_axis=-1), shards=(4, 6, 5))
    stored[:] = SAMPLES
    np.testing.assert_array_equal(stored[3:5], SAMPLES[3:5])


def test_a_chunk_is_a_container_of_the_cube_with_its_bands_last():
    store, samples = MemoryStore(), np.moveaxis(smooth_cube((5, 4, 3)), -1, 0)
    settings = {"shape": samples.shape, "chunks": samples.shape, "dtype": samples.dtype, "compressors": None}
    for predictor in ("ccsds123", "least_squares"):
        stored = zarr.create_array(
            store, serializer=CubeCodec(predictor=predictor), name=predictor, overwrite=True, **settings
        )
        stored[:] = samples
        chunk = store._store_dict[f"{predictor}/c/0/0/0"].to_bytes()
        np.testing.assert_array_equal(decompress(chunk), smooth_cube((5, 4, 3)))
        np.testing.assert_array_equal(stored[:], samples)


def test_errors_keep_to_delta():
    samples = np.moveaxis(smooth_cube((8, 6, 4)), -1, 0)
    stored = array(samples.shape, (4, 5, 6), samples.dtype, CubeCodec(delta=3))
    stored[:] = samples
    assert 0 < np.abs(stored[:].astype(int) - samples).max() <= 3


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64", "uint64", "bool"])
def test_samples_that_are_no_whole_numbers_are_refused_before_anything_is_written(dtype):
    store = MemoryStore()
    with pytest.raises(ConfigurationError, match=rf"dtype={dtype}: .*'scale_factor': 0.0001"):
        zarr.create_array(store, shape=(2, 3, 4), dtype=dtype, serializer=CubeCodec())
    assert not store._store_dict


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"predictor": "best"}, "predictor='best': must be one of ccsds123"),
        ({"delta": -1}, "delta=-1"),
        ({"delta": True}, "delta=True"),
        ({"level": 3}, "the codec spatial_prediction has no level; open the array with a newer version"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        CubeCodec.from_dict({"name": "spatial_prediction", "configuration": settings})


def test_a_band_axis_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match="band_axis=3: the array has 3 dimensions"):
        array((2, 3, 4), (2, 3, 4), codec=CubeCodec(band_axis=3))


@pytest.mark.usefixtures("quick_method")
def test_damaged_chunks_and_those_of_other_arrays_are_errors():
    store = MemoryStore()
    settings = {"dtype": "u2", "serializer": CubeCodec(), "compressors": None}
    for name, shape in (("a", (2, 3, 4)), ("b", (2, 4, 3))):
        zarr.create_array(store, name=name, shape=shape, chunks=shape, **settings)[:] = np.arange(24).reshape(
            shape
        )
    chunks = store._store_dict
    chunks["b/c/0/0/0"] = chunks["a/c/0/0/0"]
    with pytest.raises(StreamError, match=r"a chunk holds <u2 \(3, 4, 2\), and its array"):
        zarr.open_array(store, path="b")[:]
    whole = chunks["a/c/0/0/0"].to_bytes()
    for damaged in (whole[:-1], whole[:40] + b"?" + whole[41:], b""):
        chunks["a/c/0/0/0"] = type(chunks["b/c/0/0/0"]).from_bytes(damaged)
        with pytest.raises(StreamError):
            zarr.open_array(store, path="a")[:]


def dataset():
    cube = np.moveaxis(smooth_cube((9, 8, 5)), -1, 0)
    coordinates = {"wavelength": ("band", np.linspace(400, 2400, 5)), "x": np.arange(8) * 30.0}
    return xarray.Dataset(
        {"cube": (("band", "y", "x"), cube, {"units": "1"}), "mean": (("y", "x"), cube.mean(0))}, coordinates
    )


@pytest.mark.usefixtures("quick_method")
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("consolidated", [False, True])
def test_xarray_writes_and_reads_it_with_one_argument(tmp_path, chunked, consolidated):
    written = dataset().chunk({"y": 4, "x": 8, "band": 5}) if chunked else dataset()
    encoding = {"cube": {"serializer": CubeCodec()}}
    written.to_zarr(tmp_path / "a.zarr", zarr_format=3, encoding=encoding, consolidated=consolidated)
    for chunks in (None, {}):
        with xarray.open_zarr(tmp_path / "a.zarr", consolidated=consolidated, chunks=chunks) as read:
            xarray.testing.assert_identical(read.load(), dataset())
            assert isinstance(read["cube"].encoding["serializer"], CubeCodec)
        with xarray.open_zarr(tmp_path / "a.zarr", consolidated=consolidated, chunks=chunks) as read:
            part = read["cube"].isel(y=slice(2, 7), band=3)
            np.testing.assert_array_equal(part, dataset()["cube"][3, 2:7])


@pytest.mark.usefixtures("quick_method")
def test_packed_reflectance_is_stored_as_whole_numbers(tmp_path):
    reflectance = dataset() / 10_000
    reflectance["cube"][2, 3, 4] = np.nan
    packing = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -32768, "serializer": CubeCodec()}
    reflectance[["cube"]].to_zarr(tmp_path / "a.zarr", zarr_format=3, encoding={"cube": packing})
    with xarray.open_zarr(tmp_path / "a.zarr") as read:
        np.testing.assert_allclose(read["cube"], reflectance["cube"], atol=0.5e-4)
        assert np.isnan(read["cube"].values[2, 3, 4])
    with pytest.raises(ConfigurationError, match="dtype=float64: the codec spatial_prediction takes whole"):
        reflectance.to_zarr(
            tmp_path / "b.zarr", zarr_format=3, encoding={"cube": {"serializer": CubeCodec()}}
        )


READING = """
import sys, zarr
print(zarr.open_array(sys.argv[1])[:].sum())
"""


@pytest.mark.slow
def test_another_process_finds_the_codec_by_its_entry_point(tmp_path):
    samples = np.moveaxis(smooth_cube((5, 4, 3)), -1, 0)
    settings = {"shape": samples.shape, "chunks": samples.shape, "dtype": samples.dtype}
    zarr.create_array(tmp_path / "a.zarr", serializer=CubeCodec(), **settings)[:] = samples
    installed = tmp_path / "installed"
    description = installed / "spatial_prediction-1.dist-info"
    description.mkdir(parents=True)
    (description / "METADATA").write_text("Metadata-Version: 2.1\nName: spatial_prediction\nVersion: 1\n")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, where),) = project["entry-points"]["zarr.codecs"].items()
    (description / "entry_points.txt").write_text(f"[zarr.codecs]\n{name} = {where}\n")
    environment = {"PYTHONPATH": f"{REPOSITORY / 'src'}:{installed}", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", READING, str(tmp_path / "a.zarr")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (0, f"{samples.sum()}\n"), done.stderr
