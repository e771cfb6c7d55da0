import datetime
import time

import netCDF4
import numpy as np
import pytest
import xarray as xr

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.scene_writing import write_scene
from spatial_prediction.rasters.scenes import read_scene

WKT = 'LOCAL_CS["Nowhere",UNIT["metre",1]]'
PLACE = {"date": datetime.date(2019, 4, 11), "x0": 655_360.0, "y0": 5_686_280.0, "epsg_wkt": WKT}


@pytest.fixture
def bands():
    return np.random.default_rng(0).integers(-100, 20_000, (12, 16, 3)).astype(np.int16)


@pytest.fixture
def path(tmp_path, bands):
    path = tmp_path / "new" / "000000.nc"
    write_scene(path, bands, **PLACE)
    return path


def test_layout_is_the_published_one(path):
    with netCDF4.Dataset(path) as file:
        assert file.data_model == "NETCDF4_CLASSIC"
        assert {name: len(dimension) for name, dimension in file.dimensions.items()} == {
            "t": 1,
            "y": 12,
            "x": 16,
        }
        assert list(file.variables) == ["t", "x", "y", "crs", "B02", "B03", "B04"]
        assert file["crs"].shape == ()
        assert file["crs"].crs_wkt == file["crs"].spatial_ref == WKT
        for name in ("B02", "B03", "B04"):
            band = file[name]
            assert band.dimensions == ("t", "y", "x")
            assert band.dtype == np.int16
            assert band.ncattrs() == ["_FillValue", "long_name", "units", "grid_mapping"]
            assert (band._FillValue, band.long_name, band.grid_mapping) == (-32768, name, "crs")
            filters = band.filters()
            assert (filters["zlib"], filters["shuffle"], filters["complevel"]) == (True, True, 6)


def test_coordinates_are_pixel_centres_from_north_to_south(path):
    with xr.open_dataset(path) as scene:
        np.testing.assert_array_equal(scene.x, 655_365.0 + 10 * np.arange(16))
        np.testing.assert_array_equal(scene.y, 5_686_275.0 - 10 * np.arange(12))
        assert scene.t.values[0] == np.datetime64("2019-04-11")


def test_xarray_reads_the_values_back(path, bands):
    with xr.open_dataset(path) as scene:
        for channel, name in enumerate(("B04", "B03", "B02")):
            assert scene[name].dims == ("t", "y", "x")
            np.testing.assert_array_equal(scene[name].values[0], bands[..., channel])


def test_the_package_reads_the_values_back(path, bands):
    np.testing.assert_array_equal(read_scene(path, size=12), bands[:12, :12])


def test_equal_scenes_give_equal_bytes_at_any_time(tmp_path, path, bands):
    time.sleep(1.1)  # HDF5 counts time in seconds, should it record any
    write_scene(tmp_path / "again.nc", bands, **PLACE)
    assert (tmp_path / "again.nc").read_bytes() == path.read_bytes()


def test_title_is_optional(tmp_path, path, bands):
    write_scene(tmp_path / "titled.nc", bands, **PLACE, title="A scene")
    with netCDF4.Dataset(tmp_path / "titled.nc") as titled, netCDF4.Dataset(path) as untitled:
        assert titled.title == "A scene"
        assert "title" not in untitled.ncattrs()


def test_missing_samples_are_refused_and_leave_nothing_behind(tmp_path, bands):
    bands[3, 4, 1] = -32768
    with pytest.raises(SceneError, match=r"bad\.nc: .*-32768.*missing"):
        write_scene(tmp_path / "bad.nc", bands, **PLACE)
    assert list(tmp_path.iterdir()) == []


def test_empty_scenes_are_refused(tmp_path):
    with pytest.raises(SceneError, match=r"shape \(0, 4, 3\)"):
        write_scene(tmp_path / "bad.nc", np.zeros((0, 4, 3), np.int16), **PLACE)
