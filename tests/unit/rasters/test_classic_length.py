"""Where a file of the classic format ends, by its header; and that no truncated one is read as zeros."""

import netCDF4
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene_writer import random_bands, stacked, write_scene

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.classic_length import needed_bytes
from spatial_prediction.rasters.scenes import read_scene

FORMATS = ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]
SIZE = 8


def replaced(path, old, new):
    """Change bytes of a file in place, as writers do that know no Unicode."""
    content = path.read_bytes()
    assert content.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def truncated(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("written", [b"\xa9\xa9", b"\xa9 2019", b"\0\0\0\0\0\0\0", b"caf\xe9"])
def test_attributes_that_are_not_utf_8_do_not_make_a_file_look_truncated(tmp_path, format, written):
    bands = {band: np.full((SIZE, SIZE), 1200, "int16") for band in random_bands()}
    path = write_scene(tmp_path / "a.nc", bands, format=format)
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.history = "#" * len(written)
    replaced(path, b"#" * len(written), written)
    assert (read_scene(path, size=SIZE) == 1200).all()
    truncated(path, needed_bytes(path) - 1)
    with pytest.raises(SceneError, match="truncated to"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("records", [(), ("B02",), ("B02", "B03", "B04")])
def test_one_sample_less_is_noticed_and_the_whole_file_is_not(tmp_path, format, records):
    """With the first dimension of none, one or all of the bands being that of records."""
    bands, path = random_bands((9, 9)), tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format=format) as dataset:
        dataset.createDimension("time", None)
        dataset.createDimension("y", 9)
        dataset.createDimension("x", 9)
        for name, values in bands.items():
            of_records = name in records
            band = dataset.createVariable(name, "i2", ("time", "y", "x") if of_records else ("y", "x"))
            band[0 if of_records else slice(None)] = values
            band.odd = np.arange(3, dtype="i1")
    needed, whole = needed_bytes(path), path.stat().st_size
    assert whole - 4 < needed <= whole
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))
    truncated(path, needed)
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))
    truncated(path, needed - 1)
    with pytest.raises(SceneError, match=f"truncated to {needed - 1} bytes"):
        read_scene(path, size=SIZE)


@settings(max_examples=60, deadline=None)
@given(
    format=st.sampled_from(FORMATS),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    records=st.integers(0, 4),
    variables=st.lists(
        st.tuples(st.sampled_from(["i1", "S1", "i2", "i4", "f4", "f8"]), st.booleans(), st.integers(0, 3)),
        max_size=4,
    ),
    comment=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
)
def test_every_whole_file_is_whole_to_its_last_sample(
    tmp_path_factory, format, lengths, records, variables, comment
):
    path = tmp_path_factory.mktemp("classic") / "a.nc"
    with netCDF4.Dataset(path, "w", format=format) as dataset:
        dataset.createDimension("record", None)
        for index, length in enumerate(lengths):
            dataset.createDimension(f"d{index}", length)
        for index, (dtype, of_records, ndim) in enumerate(variables):
            dimensions = ("record",) * of_records + tuple(
                f"d{axis}" for axis in range(min(ndim, len(lengths)))
            )
            variable = dataset.createVariable(f"v{index}", dtype, dimensions)
            variable.set_auto_mask(False)
            shape = (records,) * of_records + tuple(lengths[: min(ndim, len(lengths))])
            if np.prod(shape) > 0:
                variable[...] = np.full(shape, 1).astype(dtype)
            if comment:
                variable.comment = comment
        dataset.comment = comment or "none"
    needed, whole = needed_bytes(path), path.stat().st_size
    held = any(not of_records or records for _, of_records, _ in variables)
    assert needed <= whole
    assert not held or whole - needed < 4


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [5, 40, 100])
def test_a_truncated_header_is_an_error(tmp_path, format, size):
    path = write_scene(tmp_path / "a.nc", format=format)
    truncated(path, size)
    with pytest.raises(EOFError):
        needed_bytes(path)
    with pytest.raises(SceneError):
        read_scene(path, size=SIZE)
