"""Files named after their bands, and what the metadata of a Sentinel-2 product state."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from tests.raster_writer import HEIGHT, TRANSFORM, WIDTH, Encoding, dn, write_band_files, write_geotiff

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.raster import open_raster

UINT16 = Encoding("uint16")
WHOLE = slice(0, HEIGHT), slice(0, WIDTH)
VALUES = dn(UINT16) + 1500

LEVEL_2A = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
  <n1:General_Info>
    <Product_Info><PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE></Product_Info>
    <Product_Image_Characteristics>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <Special_Values>
        <SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX>
      </Special_Values>
      <QUANTIFICATION_VALUES_LIST>
        <BOA_QUANTIFICATION_VALUE unit="none">{quantification}</BOA_QUANTIFICATION_VALUE>
        <AOT_QUANTIFICATION_VALUE unit="none">1000.0</AOT_QUANTIFICATION_VALUE>
      </QUANTIFICATION_VALUES_LIST>
      {offsets}
    </Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-2A_User_Product>"""


def offsets(name, value):
    rows = "".join(f'<{name} band_id="{number}">{value}</{name}>' for number in range(13))
    return f"<{name}_LIST>{rows}</{name}_LIST>"


def product(
    folder,
    *,
    name="S2A_MSIL2A_20230101T105441_N0509_R051_T33UUB.SAFE",
    baseline="05.09",
    stated="BOA_ADD_OFFSET",
    value=-1000,
    quantification=10000,
    values=VALUES,
):
    safe = folder / name
    images = safe / "GRANULE" / "L2A_T33UUB" / "IMG_DATA"
    write_band_files(images / "R10m", values, UINT16, suffix=".jp2")
    coarse = {"stem": "T33UUB_20200101_{}_20m"}
    write_band_files(images / "R20m", values[:, ::-1], UINT16, **coarse)
    write_geotiff(images / "R10m" / "T33UUB_20200101_TCI_10m.tif", values, UINT16)
    (safe / "MTD_MSIL2A.xml").write_text(
        LEVEL_2A.format(
            baseline=baseline,
            quantification=quantification,
            offsets=offsets(stated, value) if stated else "",
        ),
        encoding="utf-8",
    )
    return safe


@pytest.mark.parametrize("part", [".", "GRANULE/L2A_T33UUB/IMG_DATA/R10m"])
@pytest.mark.parametrize("stated", ["BOA_ADD_OFFSET", "RADIO_ADD_OFFSET"])
def test_a_product_is_read_with_offset_and_nodata_of_its_metadata(tmp_path, caplog, part, stated):
    values = VALUES.copy()
    values[:, 3, 4] = 0
    safe = product(tmp_path, stated=stated, values=values)
    with open_raster(safe / part) as raster:
        samples, valid = raster.read(*WHOLE)
        assert raster.transform == TRANSFORM
        assert f"offset -1000, by {stated}_B0" in raster.description
        assert "missing: nodata=0" in raster.description
    assert np.argwhere(~valid).tolist() == [[3, 4]]
    np.testing.assert_array_equal(samples[:, valid], values[::-1][:, valid] - 1000)
    assert caplog.messages == []


def test_an_older_product_has_no_offset(tmp_path, caplog):
    safe = product(tmp_path, name="S2A_MSIL1C_N0206.SAFE", baseline="02.06", stated=None)
    with open_raster(safe) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], VALUES[::-1])
    assert caplog.messages == []


def test_a_baseline_without_an_offset_is_a_hint(tmp_path, caplog):
    with open_raster(product(tmp_path, stated=None)) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], VALUES[::-1])
    assert ["DN may carry +1000" in message for message in caplog.messages] == [True]


METADATA_FAULTS = {
    "another quantification": ({"quantification": 1000}, "BOA_QUANTIFICATION_VALUE=1000 says"),
    "another offset": ({"value": -500}, "stated as BOA_ADD_OFFSET_B04=-500, and it is 0 or -1000"),
}


@pytest.mark.parametrize("case", METADATA_FAULTS)
def test_metadata_that_contradict_are_refused(tmp_path, case):
    changed, message = METADATA_FAULTS[case]
    with pytest.raises(SceneError, match=rf"\.SAFE: .*{message}"):
        open_raster(product(tmp_path, **changed))


def test_metadata_that_cannot_be_read_are_refused(tmp_path):
    safe = product(tmp_path)
    metadata = safe / "MTD_MSIL2A.xml"
    text = metadata.read_text(encoding="utf-8")
    for damaged, message in [
        (text[:500], r"MTD_MSIL2A\.xml is no XML"),
        (text.replace('band_id="3"', 'band_id="99"'), "BOA_ADD_OFFSET for band_id='99', which is none"),
    ]:
        metadata.write_text(damaged, encoding="utf-8")
        with pytest.raises(SceneError, match=rf"\.SAFE: .*{message}"):
            open_raster(safe)
    (safe / "MTD_MSIL1C.xml").write_text(text, encoding="utf-8")
    with pytest.raises(SceneError, match="several metadata"):
        open_raster(safe)


@pytest.mark.parametrize(
    "stem", ["{}", "SENTINEL2B_20181023-105107-455_L2A_T30TYP_D_V1-9_FRE_{}", "scene.{}", "x_{}_20m"]
)
def test_names_of_products_and_of_ones_own_are_read(tmp_path, stem):
    folder = write_band_files(tmp_path / "scene", VALUES, UINT16, stem=stem)
    write_geotiff(folder / "mask.tif", VALUES[:1], UINT16, names=None)
    with open_raster(folder) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], VALUES[::-1])
    with open_raster(folder, bands=["blue"]) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], VALUES[:1])


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(SceneError, match="no file in it is named after a band"):
        open_raster(tmp_path)
    write_band_files(tmp_path / "a", VALUES, UINT16)
    write_band_files(tmp_path / "b", VALUES, UINT16, stem="another_{}_10m")
    with pytest.raises(SceneError, match=r"band B04 may be .*B04_10m\.tif or .*B04_10m\.tif"):
        open_raster(tmp_path)
    with pytest.raises(SceneError, match=r"names of mask\.tif name no band"):
        open_raster([tmp_path / "a" / "T33UUB_20200101_B04_10m.tif", tmp_path / "mask.tif"])


def test_a_file_of_several_bands_is_none_of_them(tmp_path):
    write_geotiff(tmp_path / "B04.tif", VALUES, UINT16)
    with pytest.raises(SceneError, match=r"B04\.tif holds 3 bands, not one"):
        open_raster(tmp_path, bands=["B04"])


@pytest.mark.parametrize("other", ["shape", "place"])
def test_bands_on_several_grids_are_refused(tmp_path, other):
    folder = write_band_files(tmp_path / "scene", VALUES, UINT16)

    path = folder / "T33UUB_20200101_B03_10m.tif"
    with rasterio.open(path) as file:
        profile, values = file.profile, file.read()
    if other == "shape":
        values, profile["height"] = values[:, :-1], HEIGHT - 1
    else:
        profile["transform"] = TRANSFORM * Affine.translation(0.5, 0)
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)
    with pytest.raises(
        SceneError, match=r"bands lie on different grids: .*B04_10m\.tif has 11 x 14 pixels of 10"
    ):
        open_raster(folder)


def test_a_damaged_file_of_several_is_named(tmp_path):
    folder = write_band_files(tmp_path / "scene", VALUES, UINT16)
    path = folder / "T33UUB_20200101_B03_10m.tif"
    path.write_bytes(path.read_bytes()[:-9])
    with open_raster(folder) as raster, pytest.raises(SceneError, match=r"scene: .*B03_10m\.tif .*damaged"):
        raster.read(*WHOLE)
