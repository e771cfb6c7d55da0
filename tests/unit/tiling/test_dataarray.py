import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from tests.tiled_networks import TwoConvolutions, blur, smooth_image

from spatial_prediction.tiling import ReceptiveField, Strategy, upscale_array, upscale_dataarray

IMAGE = smooth_image((23, 30), channels=2)
EXACT = Strategy.exact(1)


def array(image=IMAGE, **changes):
    _, height, width = image.shape
    coords = {
        "band": ["B02", "B03"],
        "y": 6_700_000.0 - 10 * np.arange(height),
        "x": ("x", 400_005.0 + 10 * np.arange(width), {"units": "m"}),
    }
    return xr.DataArray(image, coords | changes, ("band", "y", "x"), name="reflectance", attrs={"units": "1"})


def test_an_array_in_memory_is_that_of_numpy():
    upscaled = upscale_dataarray(array(), blur, strategy=EXACT, tile=8, factor=2)
    np.testing.assert_array_equal(
        upscaled.values, upscale_array(IMAGE, blur, strategy=EXACT, tile=8, factor=2)
    )
    assert upscaled.dims == ("band", "y", "x")
    assert (upscaled.name, upscaled.attrs) == ("reflectance", {"units": "1"})
    assert list(upscaled.band.values) == ["B02", "B03"]
    assert upscaled.x.attrs == {"units": "m"}


@pytest.mark.parametrize("factor", [2, 3])
def test_coordinates_keep_the_outer_corners(factor):
    upscaled = upscale_dataarray(
        array(), lambda x: x.repeat(factor, -1).repeat(factor, -2), strategy=EXACT, factor=factor
    )
    finer = 10 / factor
    np.testing.assert_allclose(np.diff(upscaled.x), finer)
    np.testing.assert_allclose(np.diff(upscaled.y), -finer)
    assert upscaled.x.values[0] - finer / 2 == pytest.approx(400_000, abs=1e-6)
    assert upscaled.x.values[-1] + finer / 2 == pytest.approx(400_300, abs=1e-6)
    assert upscaled.y.values[0] + finer / 2 == pytest.approx(6_700_005, abs=1e-6)


def test_transforms_are_scaled_with_the_pixels():
    reference = xr.DataArray(
        0, attrs={"GeoTransform": "400000.0 10.0 0.0 6700005.0 0.0 -10.0", "crs_wkt": "-"}
    )
    given = array(spatial_ref=reference).assign_attrs(
        transform=(10.0, 0.0, 400000.0, 0.0, -10.0, 6700005.0), res=(10.0, 10.0)
    )
    upscaled = upscale_dataarray(given, blur, strategy=EXACT, factor=2)
    assert upscaled.spatial_ref.attrs["GeoTransform"] == "400000.0 5.0 0.0 6700005.0 0.0 -5.0"
    assert upscaled.attrs["transform"] == (5.0, 0.0, 400000.0, 0.0, -5.0, 6700005.0)
    assert upscaled.attrs["res"] == (5.0, 5.0)
    assert given.spatial_ref.attrs["GeoTransform"].startswith("400000.0 10.0")
    assert given.attrs["res"] == (10.0, 10.0)


def test_dimensions_may_be_in_any_order_and_have_any_name():
    given = array().rename(y="lat", x="lon").transpose("lat", "band", "lon")
    upscaled = upscale_dataarray(given, blur, strategy=EXACT, factor=2, dims=("lat", "lon"))
    assert upscaled.dims == ("lat", "band", "lon")
    np.testing.assert_allclose(upscaled.transpose("band", "lat", "lon"), blur(IMAGE[None])[0], atol=1e-6)


def test_the_channels_of_another_number_have_no_coordinate():
    upscaled = upscale_dataarray(array(), lambda x: x[:, :1], strategy=EXACT, factor=1, outputs=1)
    assert upscaled.shape == (1, 23, 30)
    assert set(upscaled.coords) == {"y", "x"}


@pytest.fixture
def chunked():
    pytest.importorskip("dask", reason="Dask is not installed")
    return lambda y, x, image=IMAGE: array(image).chunk({"band": 1, "y": y, "x": x})


@pytest.mark.parametrize("chunks", [(8, 8), (23, 30), (5, 4), ((9, 1, 13), (2, 28))])
def test_chunks_equal_the_whole_image(chunked, chunks):
    upscaled = upscale_dataarray(chunked(*chunks), blur, strategy=EXACT, tile=6, factor=2)
    assert upscaled.chunks is not None
    values = upscaled.compute()
    assert values.shape == (2, 46, 60)
    np.testing.assert_allclose(values, blur(IMAGE[None])[0], atol=1e-6)
    xr.testing.assert_equal(values.coords.to_dataset(), upscaled.coords.to_dataset())


def test_chunks_smaller_than_the_overlap_are_joined(chunked):
    upscaled = upscale_dataarray(chunked(4, 4), blur, strategy=Strategy.cropped(7), tile=6, factor=2)
    assert min(min(sizes) for sizes in upscaled.chunks[1:]) >= 2 * 7
    np.testing.assert_allclose(upscaled, blur(IMAGE[None])[0], atol=1e-6)


def test_sides_may_overlap_differently(chunked):
    """Each pixel is the one two rows up and three columns to the left."""

    def shifted(batch):
        return np.pad(batch, ((0, 0), (0, 0), (2, 0), (3, 0)))[..., : batch.shape[-2], : batch.shape[-1]]

    strategy = Strategy.exact(ReceptiveField(((2, 0), (3, 0))))
    upscaled = upscale_dataarray(chunked(8, 8), shifted, strategy=strategy, tile=5, factor=1)
    np.testing.assert_array_equal(upscaled, shifted(IMAGE[None])[0])


def test_nothing_is_computed_before_it_is_asked_for(chunked):
    def refusing(batch):
        raise AssertionError("computed")

    lazy = upscale_dataarray(chunked(8, 8), refusing, strategy=EXACT, factor=2)
    with pytest.raises(AssertionError, match="computed"):
        lazy[:, :2, :2].compute()


def test_missing_pixels_stay_missing_and_alone(chunked):
    image = IMAGE.copy()
    image[0, 9, 9] = np.nan
    upscaled = upscale_dataarray(chunked(8, 8, image), blur, strategy=EXACT, tile=6, factor=2).compute()
    missing = np.isnan(upscaled.values).any(axis=0)
    assert missing[18:20, 18:20].all()
    assert missing.sum() == 4


@pytest.mark.filterwarnings("ignore")  # of a cluster that starts and stops
def test_a_cluster_computes_the_same(chunked):
    distributed = pytest.importorskip("distributed", reason="Dask's distributed is not installed")
    network = TwoConvolutions.named("zero")
    lazy = upscale_dataarray(chunked(12, 15), network, strategy=Strategy.exact(2), tile=8)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        values = lazy.compute()
    whole = upscale_array(IMAGE, network, strategy=Strategy.exact(2), tile=64)
    np.testing.assert_allclose(values, whole, atol=1e-5)


def test_chunks_do_not_fade_into_each_other(chunked):
    strategy = Strategy.blended(2)
    with pytest.raises(ValueError, match=r"use Strategy\.exact or Strategy\.cropped"):
        upscale_dataarray(chunked(8, 8), blur, strategy=strategy, factor=2)
    upscale_dataarray(chunked(23, 30), blur, strategy=strategy, factor=2).compute()


def test_chunks_begin_at_multiples_of_the_step(chunked):
    strategy = Strategy.exact(ReceptiveField(((1, 1), (1, 1)), (2, 2)))
    with pytest.raises(ValueError, match="multiples of the network's step 2"):
        upscale_dataarray(chunked(7, 8), blur, strategy=strategy, factor=2)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (array(x=np.r_[0.0, 1, 3, np.arange(4, 31)]), ValueError, "'x' must be regular"),
        (array()[:, :1], ValueError, "'y' must have at least two numbers"),
        (array(lon=(("y", "x"), np.zeros((23, 30)))), ValueError, "take it off with array.drop_vars"),
        (array()[0], ValueError, "a dimension of channels"),
        (array().astype(int), TypeError, "floating numbers"),
    ],
)
def test_what_does_not_fit_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        upscale_dataarray(given, blur, strategy=EXACT, factor=2)


def test_another_number_of_outputs_is_refused():
    with pytest.raises(ValueError, match="makes 1 channels, not 2; give outputs=1"):
        upscale_dataarray(array(), lambda x: x[:, :1], strategy=EXACT, factor=1)


def test_the_room_needs_neither_dask_nor_xarray():
    code = "import sys, spatial_prediction.tiling; print(*{'dask', 'xarray', 'pandas'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []
