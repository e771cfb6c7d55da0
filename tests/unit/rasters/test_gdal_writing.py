"""Ground control points are read as they were meant, whatever GDAL does to those of point samples."""

import warnings

import pytest
import rasterio
from rasterio.control import GroundControlPoint

from spatial_prediction.rasters.gdal_writing import points_to_write


@pytest.mark.parametrize("kind", ["Area", "Point"])
def test_control_points_are_read_where_they_were_meant(tmp_path, kind):
    points = [GroundControlPoint(0, 0, 15, 45, 3), GroundControlPoint(2.5, 7.25, 16, 44, 0)]
    settings = {"driver": "GTiff", "height": 3, "width": 8, "count": 1, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(tmp_path / "a.tif", "w", **settings) as file:
            file.update_tags(AREA_OR_POINT=kind)
            file.gcps = (points_to_write(points, is_point=kind == "Point"), rasterio.CRS.from_epsg(4326))
        with rasterio.open(tmp_path / "a.tif") as file:
            found = [(point.row, point.col, point.x, point.y, point.z) for point in file.gcps[0]]
    assert found == [(point.row, point.col, point.x, point.y, point.z) for point in points]
