"""ENVI: what GDAL reads as zeros or guesses is refused; the rest is read as GDAL places it."""

import warnings

import numpy as np
import pytest
import rasterio
from tests.raster_writer import ENCODINGS, HEIGHT, TRANSFORM, WIDTH, Encoding, dn, expected, write_envi

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.raster import open_raster

INT16 = ENCODINGS["int16, fill"]


def by_gdal(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, driver="ENVI") as file:
            return file.read(), file.transform


def replaced(path, old, new):
    header = path.with_suffix(".hdr")
    text = header.read_text(encoding="utf-8")
    assert old in text
    header.write_text(text.replace(old, new), encoding="utf-8")


def test_a_file_shorter_than_its_header_says_is_refused_where_gdal_reads_zeros(tmp_path):
    path = write_envi(tmp_path / "a.bsq", dn(), INT16)
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-2])
    stored, _ = by_gdal(path)
    assert stored[-1, -1, -1] == 0
    for name in (path, path.with_suffix(".hdr")):
        with pytest.raises(SceneError) as caught:
            open_raster(name)
        assert str(caught.value) == (
            f"{name}: a.bsq holds {whole - 2} bytes, and its header says {whole} (7 and 3 bands x {HEIGHT} "
            f"lines x {WIDTH} samples of int16): truncated; fetch both again"
        )


FAULTS = {
    "too long": (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "the header is of another file"),
    "no header": (
        lambda path: path.with_suffix(".hdr").unlink(),
        r"has no header beside it \(a\.hdr or a\.bsq\.hdr\)",
    ),
    "two headers": (
        lambda path: path.with_name("a.bsq.hdr").write_bytes(path.with_suffix(".hdr").read_bytes()),
        r"has 2 headers \(a\.bsq\.hdr, a\.hdr\)",
    ),
    "no ENVI": (
        lambda path: path.with_suffix(".hdr").write_text("text"),
        "does not begin with the line ENVI",
    ),
    "complex": (
        lambda path: replaced(path, "Data Type = 2", "Data Type = 6"),
        "data type = 6 is none that holds",
    ),
    "no lines": (lambda path: replaced(path, "lines   = 11", "lines = 0"), "lines = 0 is no count from 1 on"),
    "half a line": (lambda path: replaced(path, "lines   = 11", "lines = 10.5"), "lines = 10.5 is no count"),
    "twice": (lambda path: replaced(path, "bands = 3", "bands = 3\nBands = 4"), "says bands twice"),
    "before the file": (
        lambda path: replaced(path, "header offset = 7", "header offset = -7"),
        "header offset = -7 is no count",
    ),
    "interleave": (
        lambda path: replaced(path, "BSQ", "tiled"),
        "interleave = tiled is none of bsq, bil, bip",
    ),
    "byte order": (lambda path: replaced(path, "byte order = 0", "byte order = 2"), "is neither 0 nor 1"),
    "no size": (lambda path: replaced(path, ", 10, 10, 33", ", 0, 10, 33"), "pixels of no size"),
    "short map info": (
        lambda path: replaced(path, ", 10, 10, 33, North, WGS-84", ""),
        "map info has 5 entries",
    ),
    "gains of other bands": (
        lambda path: replaced(path, "band names", "data gain values = {1, 2}\nband names"),
        "data gain values has 2 entries for 3 bands",
    ),
    "scale of 0": (
        lambda path: replaced(path, "band names", "reflectance scale factor = 0\nband names"),
        "reflectance scale factor = 0 is not above 0",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_refused_with_the_file(tmp_path, fault):
    make, message = FAULTS[fault]
    path = write_envi(tmp_path / "a.bsq", dn(), INT16)
    make(path)
    with pytest.raises(SceneError, match=rf"a\.bsq: .*{message}"):
        open_raster(path)


def test_a_header_without_one_file_of_its_name_is_refused(tmp_path):
    path = write_envi(tmp_path / "a.bsq", dn(), INT16)
    path.with_suffix(".img").write_bytes(path.read_bytes())
    with pytest.raises(SceneError, match=r"may be in a\.bsq, a\.img: there must be one file"):
        open_raster(path.with_suffix(".hdr"))
    path.unlink()
    path.with_suffix(".img").unlink()
    with pytest.raises(SceneError, match="may be in none"):
        open_raster(path.with_suffix(".hdr"))


@pytest.mark.parametrize("header", ["a.hdr", "a.bil.hdr", "A.HDR"])
def test_headers_of_all_common_names_are_found(tmp_path, header):
    path = write_envi(tmp_path / "a.bil", dn(), INT16, "bil")
    path.with_suffix(".hdr").rename(tmp_path / header)
    with open_raster(path) as raster:
        samples, _ = raster.read(slice(0, HEIGHT), slice(0, WIDTH))
    np.testing.assert_array_equal(samples, expected(INT16, dn()[::-1])[0])


@pytest.mark.parametrize("map_info", ["1.0, 1.0", "1.5, 1.5", "3.0, 5.0"])
@pytest.mark.parametrize("rotation", ["", ", rotation=30.0", ", rotation=-12.5"])
def test_the_reference_pixel_lies_at_its_place_as_with_gdal(tmp_path, map_info, rotation):
    """GDAL turns about the corner: with another reference pixel, a turned raster lies elsewhere."""
    path = write_envi(tmp_path / "a.bsq", dn(), INT16)
    replaced(path, "UTM, 1.0, 1.0", f"UTM, {map_info}")
    replaced(path, "WGS-84", f"WGS-84{rotation}")
    with open_raster(path) as raster:
        transform = raster.transform
    column, row = (float(number) - 1 for number in map_info.split(","))
    np.testing.assert_allclose(transform * (column, row), (TRANSFORM.c, TRANSFORM.f), rtol=1e-12)
    if not rotation or (column, row) == (0, 0):
        np.testing.assert_allclose(transform, by_gdal(path)[1], rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("line", ["map info = {Arbitrary, 1, 1, 0, 0, 1, 1}", None])
def test_a_raster_without_a_place_has_no_transform(tmp_path, line):
    path = write_envi(tmp_path / "a.bsq", dn(), INT16)
    header = path.with_suffix(".hdr")
    lines = [each for each in header.read_text().splitlines() if not each.startswith("map info")]
    header.write_text("\n".join([*lines, *([line] if line else [])]))
    with open_raster(path) as raster:
        assert raster.transform is None


def test_the_reflectance_scale_factor_is_a_packing(tmp_path):
    values = dn()
    encoding = Encoding("int16", missing=("_FillValue", -9999))
    path = write_envi(
        tmp_path / "a.bip", values * 5, encoding, "bip", more=["reflectance scale factor = 50000"]
    )
    with open_raster(path) as raster:
        samples, valid = raster.read(slice(0, HEIGHT), slice(0, WIDTH))
    wanted, there = expected(encoding, values[::-1])
    np.testing.assert_array_equal(valid, there)
    np.testing.assert_allclose(samples, wanted, atol=2e-3, equal_nan=True)


def test_names_of_another_number_than_bands_name_none(tmp_path):
    path = write_envi(tmp_path / "a.bsq", dn(), INT16)
    replaced(path, "B02, B03, B04", "B02 (blue, 490), B03, B04")
    with pytest.raises(SceneError, match=r"the bands are 1, 2, 3 \(without names\)"):
        open_raster(path)
    with open_raster(path, bands=["3", "1"]) as raster:
        assert raster.read(slice(0, 1), slice(0, 1))[0][:, 0, 0].tolist() == dn()[[2, 0], 0, 0].tolist()
