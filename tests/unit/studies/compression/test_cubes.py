import json

import numpy as np
import pytest

from spatial_prediction.errors import SceneError
from spatial_prediction.studies.compression.config import SyntheticSettings
from spatial_prediction.studies.compression.cubes.cube import Cube, load_cube, save_cube
from spatial_prediction.studies.compression.cubes.raw import AXES, read_raw_cube
from spatial_prediction.studies.compression.cubes.synthetic import SIGNAL, synthetic_cube

SHAPE = (4, 5, 3)
SAMPLES = np.random.default_rng(0).integers(0, 4000, SHAPE).astype(np.uint16)


def stored(folder, interleave="bsq", dtype="<u2"):
    """A raw file of the samples."""
    order = ["rows", "columns", "bands"]
    raw = folder / f"cube.{interleave}"
    raw.write_bytes(
        SAMPLES.transpose([order.index(axis) for axis in AXES[interleave]]).astype(dtype).tobytes()
    )
    return raw


def described(folder, **changes):
    """A description of it in JSON."""
    about = dict(zip(("rows", "columns", "bands"), SHAPE, strict=True))
    about |= {"interleave": "bsq", "dtype": "uint16", "byte_order": "little endian"} | changes
    path = folder / "cube.json"
    path.write_text(json.dumps(about))
    return path


def test_a_synthetic_cube_follows_from_its_seed():
    settings = SyntheticSettings(rows=24, columns=20, bands=12)
    cube = synthetic_cube(settings)
    assert cube.samples.shape == (24, 20, 12)
    assert cube.samples.dtype == np.uint16
    assert cube.samples.mean() == pytest.approx(SIGNAL, rel=0.01)
    assert synthetic_cube(settings).identity() == cube.identity()
    other = SyntheticSettings(rows=24, columns=20, bands=12, seed=1)
    assert synthetic_cube(other).identity() != cube.identity()


def test_noise_and_stripes_are_as_large_as_asked():
    size = {"rows": 200, "columns": 30, "bands": 8}
    clean, noisy, striped = (
        synthetic_cube(SyntheticSettings(**size, noise=noise, striping=striping)).samples.astype(float)
        for noise, striping in ((0.0, 0.0), (20.0, 0.0), (0.0, 0.02))
    )
    assert np.std(noisy - clean) == pytest.approx(20, rel=0.05)
    gains = (striped / clean).mean(0)  # of each column and band
    assert np.std(gains) == pytest.approx(0.02, rel=0.2)
    assert np.std(striped / clean - gains) < 0.002


@pytest.mark.parametrize("interleave", AXES)
@pytest.mark.parametrize("order", ["little endian", "big endian"])
def test_raw_files_are_read_as_described(tmp_path, interleave, order):
    raw = stored(tmp_path, interleave, "<u2" if order == "little endian" else ">u2")
    cube = read_raw_cube(raw, described(tmp_path, interleave=interleave, byte_order=order))
    assert np.array_equal(cube.samples, SAMPLES)
    assert (cube.name, cube.source) == ("cube", raw.name)


def test_headers_of_envi_are_read(tmp_path):
    raw, header = stored(tmp_path, "bil", ">u2"), tmp_path / "cube.hdr"
    header.write_text(
        "ENVI\nsamples = 5\nlines = 4\nbands = 3\nheader offset = 0\ndata type = 12\ninterleave = bil\n"
        "byte order = 1\n"
    )
    assert np.array_equal(read_raw_cube(raw, header).samples, SAMPLES)
    raw.write_bytes(raw.read_bytes()[:-2])
    with pytest.raises(SceneError, match=r"cube\.bil: .*truncated"):
        read_raw_cube(raw, header)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 5}, "holds 120 bytes, and cube.json says 150"),
        ({"rows": 0}, "does not describe a cube"),
        ({"interleave": "bsp"}, "with interleave one of bsq, bil, bip"),
        ({"dtype": "float32"}, "none of uint8, int8, uint16, int16"),
        ({"dtype": None}, "does not describe a cube"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path, changes, message):
    with pytest.raises(SceneError, match=message):
        read_raw_cube(stored(tmp_path), described(tmp_path, **changes))


def test_a_cube_is_kept_in_native_byte_order_with_its_identity(tmp_path):
    path = tmp_path / "cube.safetensors"
    cube = Cube(SAMPLES.astype(">i2"), "a", "a.bsq")
    save_cube(path, cube)
    read = load_cube(path)
    assert read.samples.dtype == np.int16
    assert np.array_equal(read.samples, SAMPLES)
    assert (read.name, read.source, read.identity()) == ("a", "a.bsq", cube.identity())
    assert Cube(SAMPLES, "a", "a.bsq").identity() != cube.identity()  # of another type


def test_samples_that_predictors_do_not_take_are_refused(tmp_path):
    with pytest.raises(SceneError, match="samples are uint32"):
        save_cube(tmp_path / "cube.safetensors", Cube(SAMPLES.astype(np.uint32), "a", "a.bsq"))
    assert not (tmp_path / "cube.safetensors").exists()
