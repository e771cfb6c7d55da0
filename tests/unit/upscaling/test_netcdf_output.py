"""Upscaled netCDF files say where they lie as CF has it."""

import netCDF4
import numpy as np
import pytest
import xarray
from affine import Affine
from tests.upscaled_scenes import TRANSFORM, network_file, read, scene, write_scene

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.upscaling.scenes import upscale
from spatial_prediction.upscaling.settings import UpscaleSettings

pytestmark = pytest.mark.usefixtures("quick_compilation")

DN = scene(30, 41)


@pytest.fixture
def run(tmp_path):
    model = network_file(tmp_path)

    def upscaled(source=None, *, out="out.nc", transform=TRANSFORM, crs="EPSG:32633", **settings):
        if source is None:
            dn = DN.copy()
            dn[:, 3:5, 7:9] = 0
            source = write_scene(tmp_path / "in.tif", dn, transform=transform, crs=crs)
        format = "netcdf" if out.endswith("nc") else "cog"
        chosen = UpscaleSettings(tile=16, format=format, **settings)
        upscale(source, tmp_path / out, model=model, settings=chosen)
        return tmp_path / out

    return upscaled


@pytest.mark.parametrize("compress", ["none", "deflate", "zstd"])
@pytest.mark.parametrize("strategy", ["exact", "blend"])
def test_samples_and_coordinates(run, compress, strategy):
    path = run(compress=compress, strategy=strategy)
    with xarray.open_dataset(path, decode_coords="all") as file:
        found = np.stack([file[band].to_numpy() for band in ("B04", "B03", "B02")])
        assert file["B04"].attrs["units"] == "1"
        np.testing.assert_allclose(file.x[[0, -1]], [600_001.25, 600_410 - 1.25])
        np.testing.assert_allclose(file.y[[0, -1]], [5_000_000 - 1.25, 5_000_000 - 300 + 1.25])
        assert file.x.attrs["standard_name"] == "projection_x_coordinate"
        assert file.x.attrs["units"] == "m"
        assert file.rio.crs.to_epsg() == 32633
        assert file.rio.transform()[:6] == pytest.approx((2.5, 0, 600_000, 0, -2.5, 5_000_000))
        assert len(file.attrs["SPATIAL_PREDICTION_MODEL_SHA256"]) == 64
    missing = np.zeros(found.shape[1:], bool)
    missing[12:20, 28:36] = True
    np.testing.assert_array_equal(np.isnan(found).all(axis=0), missing)
    tif = run(out="out.tif", strategy=strategy)
    np.testing.assert_allclose(found[:, ~missing] * 1e4, read(tif)[:, ~missing], atol=0.01)


def test_degrees_are_longitude_and_latitude(run):
    path = run(transform=Affine(1e-3, 0, 11, 0, -1e-3, 48), crs="EPSG:4326", dtype="float32")
    with xarray.open_dataset(path) as file:
        assert file.x.attrs["standard_name"] == "longitude"
        assert file.y.attrs["units"] == "degrees_north"


def test_netcdf_in_and_out_again(run, tmp_path):
    """The output of one is the input of the next, packing, mask and place included."""
    again = run(run(), out="again.nc")
    with xarray.open_dataset(again, decode_coords="all") as file:
        assert file.sizes == {"y": 480, "x": 656}
        assert file.rio.transform()[:6] == pytest.approx((0.625, 0, 600_000, 0, -0.625, 5_000_000))
        assert int(np.isnan(file.B04).sum()) == 4 * 16 * 16
        assert abs(float(file.B04.mean()) * 1e4 - DN.mean()) < 400


def test_rotated_rasters_are_refused_before_anything_is_written(run, tmp_path):
    with pytest.raises(ConfigurationError, match=r"in\.tif: the raster is rotated.*--format cog or gtiff"):
        run(transform=Affine(8, 6, 3e5, 6, -8, 4e6))
    assert not (tmp_path / "out.nc").exists()


def test_a_raster_without_a_place_has_no_coordinates(run, tmp_path):
    source = tmp_path / "unplaced.nc"
    with netCDF4.Dataset(source, "w") as file:
        file.createDimension("y", DN.shape[1])
        file.createDimension("x", DN.shape[2])
        for name, band in zip(("B04", "B03", "B02"), DN, strict=True):
            file.createVariable(name, "i2", ("y", "x"))[:] = band
    with xarray.open_dataset(run(source)) as file:
        assert set(file.variables) == {"B04", "B03", "B02"}
