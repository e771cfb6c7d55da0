"""Grids to predict on: bounds and a step, or those of rasters."""

import numpy as np
import pytest
import xarray

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.interpolation.stations._target import target_grid

DEGREES = {"lat": "degrees_north", "lon": "degrees_east"}


def test_bounds_are_the_edges_of_the_outermost_cells():
    grid = target_grid("-1,40,2,41,0.5", geographic=True)
    np.testing.assert_allclose(grid.rows, [40.25, 40.75])
    np.testing.assert_allclose(grid.columns, [-0.75, -0.25, 0.25, 0.75, 1.25, 1.75])
    assert (grid.rows.name, grid.columns.name) == ("lat", "lon")
    assert {
        name: axis.attrs["units"] for name, axis in zip(DEGREES, (grid.rows, grid.columns), strict=True)
    } == DEGREES
    places = grid.places(geographic=True)
    np.testing.assert_allclose(places[:2], [[40.25, -0.75], [40.25, -0.25]])
    tall = target_grid("0,0,2,3,1,3", geographic=False)
    assert tall.shape == (1, 2)
    assert tall.rows.name == "y"
    assert target_grid("0,0,0.3,0.1,0.1", geographic=False).shape == (1, 3)


def test_a_grid_may_cross_the_date_line_and_be_one_cell():
    np.testing.assert_allclose(target_grid("179,0,-179,2,1", geographic=True).columns, [179.5, 180.5])
    assert target_grid("8,50,9,51,1", geographic=True).shape == (1, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("1,2,3,4", "give five finite numbers, west,south,east,north,step"),
        ("1,2,3,4,x", "five finite numbers"),
        ("1,2,3,nan,1", "five finite numbers"),
        ("5,10,8,3,1", "west must be less than east, south less than north and the step positive"),
        ("5,3,8,10,-1", "the step positive"),
        ("0,0,1,1,0.3", r"lat spans 1, which cells of 0\.3 do not fill"),
        ("0,0,1,1,3", "lat spans 1, which cells of 3 do not fill"),
        ("40,-10,95,100,1", "latitudes -10 and 100 must lie within 90 degrees; the order is west,south"),
        ("0,0,90,90,1e-4", "900,000 cells along lat, and at most 100,000 are allowed; take a larger step"),
        ("absent.nc", r"absent\.nc: .*give west,south,east,north,step or a netCDF or GeoTIFF file"),
        ("absent.tif", "no such file"),
    ],
)
def test_grids_that_make_no_sense_are_refused(given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=message):
        target_grid(given, geographic=True)


def file_with(tmp_path, rows, columns, attributes=None, **encoding):
    coordinates = {rows[0]: (rows[0], rows[1], rows[2]), columns[0]: (columns[0], columns[1], columns[2])}
    shape = (len(rows[1]), len(columns[1]))
    dataset = xarray.Dataset({"height": ((rows[0], columns[0]), np.zeros(shape))}, coordinates)
    if attributes is not None:
        dataset["crs"] = xarray.DataArray(0, attrs=attributes)
        dataset["height"].attrs["grid_mapping"] = "crs"
    dataset.to_netcdf(tmp_path / "grid.nc")
    return tmp_path / "grid.nc"


def test_the_grid_of_a_netcdf_file_is_taken_with_all_that_it_says(tmp_path):
    rows = ("latitude", np.array([60.0, 57.0, 55.5]), {"units": "degrees_north", "comment": "Gaussian"})
    columns = ("longitude", np.array([1.0, 2.0]), {"units": "degrees_east"})
    grid = target_grid(file_with(tmp_path, rows, columns, {"earth_radius": 6371229.0}), geographic=True)
    np.testing.assert_array_equal(grid.rows, rows[1])
    assert grid.rows.attrs["comment"] == "Gaussian"
    assert grid.geographic
    assert grid.mapping == ("crs", {"earth_radius": 6371229.0})
    with xarray.open_dataset(tmp_path / "grid.nc") as dataset:
        bare = dataset[["latitude", "longitude"]].load()
        other = dataset.assign(a=(("n", "m"), np.zeros((2, 2))))[["a", "height", "crs"]].load()
    for named, kept in ((bare, None), (other, ("crs", {"earth_radius": 6371229.0}))):
        named.to_netcdf(tmp_path / "other.nc")
        again = target_grid(tmp_path / "other.nc", geographic=True)
        np.testing.assert_array_equal(again.rows, grid.rows)
        assert again.mapping == kept
    with pytest.raises(
        ConfigurationError, match="has latitudes and longitudes, and the table y and x; name its"
    ):
        grid.places(geographic=False)


def test_a_projected_grid_gives_the_places_of_its_cells_in_degrees(tmp_path):
    pyproj = pytest.importorskip("pyproj")
    rows, columns = ("y", np.array([5.6e6, 5.5e6]), {}), ("x", np.array([4e5, 5e5, 6e5]), {})
    grid = target_grid(
        file_with(tmp_path, rows, columns, {"crs_wkt": pyproj.CRS("EPSG:32632").to_wkt()}), geographic=True
    )
    found = grid.places(geographic=True)
    np.testing.assert_allclose(found[[1, 4], 1], 9.0)
    np.testing.assert_allclose(found[1, 0] - found[4, 0], 0.9, atol=0.01)
    np.testing.assert_array_equal(grid.places(geographic=False)[0], [5.6e6, 4e5])
    unknown = target_grid(file_with(tmp_path, rows, columns), geographic=True)
    with pytest.raises(ConfigurationError, match="in a projection that it does not state, and the table lat"):
        unknown.places(geographic=True)


def test_files_without_a_grid_are_refused(tmp_path):
    xarray.Dataset({"z": (("y", "x"), np.zeros((2, 2)))}).to_netcdf(tmp_path / "bare.nc")
    xarray.Dataset({"z": (("a", "b"), np.zeros((2, 2)))}).to_netcdf(tmp_path / "odd.nc")
    (tmp_path / "text.nc").write_text("no netCDF")
    (tmp_path / "text.tif").write_text("no TIFF")
    repeated = file_with(tmp_path, ("y", np.array([1.0, 1.0]), {}), ("x", np.array([1.0, 2.0]), {}))
    for name, message in [
        ("bare.nc", "dimension y has no coordinates"),
        ("odd.nc", "none or several are y and x"),
        ("text.nc", "give west"),
        ("text.tif", "give west"),
        (repeated.name, "y must be finite, sorted and without duplicates"),
    ]:
        with pytest.raises(ConfigurationError, match=message):
            target_grid(tmp_path / name, geographic=True)


@pytest.mark.parametrize(("crs", "geographic"), [("EPSG:4326", True), ("EPSG:32632", False), (None, False)])
def test_the_grid_of_a_geotiff_is_taken(tmp_path, crs, geographic):
    rasterio = pytest.importorskip("rasterio")
    transform = rasterio.Affine(0.5, 0, 8, 0, -0.25, 51)
    with rasterio.open(
        tmp_path / "grid.tif",
        "w",
        driver="GTiff",
        width=3,
        height=2,
        count=1,
        dtype="uint8",
        crs=crs,
        transform=transform,
    ) as file:
        file.write(np.ones((1, 2, 3), np.uint8))
    grid = target_grid(tmp_path / "grid.tif", geographic=True)
    np.testing.assert_allclose(grid.rows, [50.875, 50.625])
    np.testing.assert_allclose(grid.columns, [8.25, 8.75, 9.25])
    assert grid.geographic == geographic
    if crs is None:
        assert grid.mapping is None
        return
    name, attributes = grid.mapping
    assert name == "spatial_ref"
    assert "crs_wkt" in attributes
    expected = "latitude_longitude" if geographic else "transverse_mercator"
    assert attributes["grid_mapping_name"] == expected
    assert grid.rows.attrs["units"] == ("degrees_north" if geographic else "metre")
