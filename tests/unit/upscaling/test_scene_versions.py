"""Whatever kind of file a scene comes in, it is upscaled to the same pixels in the same place."""

import pytest
import rasterio
from tests.golden.test_real_scenes import FOLDER, SCENES
from tests.scene_versions import Scene, differences, read_netcdf, upscaled_versions
from tests.upscaled_scenes import TRANSFORM, network_file, scene

pytestmark = pytest.mark.usefixtures("quick_compilation")


def check(folder, chosen):
    found = differences(upscaled_versions(folder, chosen, model=network_file(folder), tile=16))
    greatest, share = found.pop("reflectance")  # as float32, which is no multiple of a DN
    assert greatest <= 1
    assert share < 5e-3
    assert set(found.values()) == {(0, 0.0)}


def test_every_kind_of_file_gives_the_same_pixels(tmp_path):
    check(tmp_path, Scene(scene(29, 40).astype("i2"), TRANSFORM, rasterio.CRS.from_epsg(32633)))


@pytest.mark.skipif(not SCENES, reason="no folder shared/data/sentinel2 beside the checkout")
@pytest.mark.parametrize("name", ["000000.nc", "000010.nc", "000017.nc"])
def test_every_kind_of_file_gives_the_same_pixels_of_real_scenes(name, tmp_path):
    check(tmp_path, read_netcdf(FOLDER / name, 40))
