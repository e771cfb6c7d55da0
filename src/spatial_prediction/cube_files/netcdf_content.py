"""What a netCDF file says beside its cube, as JSON: dimensions, attributes, small variables."""

import base64
import zlib
from typing import Any

import netCDF4
import numpy as np

from spatial_prediction.errors import SceneError

LARGEST = 12 << 20
"""Characters of the variables beside the cube; the header of a compressed file has room for 16 million."""

CODECS = ("zlib", "zstd", "bzip2")
"""Of chunks, which are restored; others are left out."""


def attributes_of(owner: netCDF4.Dataset | netCDF4.Variable) -> list[list[Any]]:
    """Give attributes in their order: name, type (NumPy's, or "str") and value."""
    return [[name, *_typed(owner.getncattr(name))] for name in owner.ncattrs()]


def attribute_value(kind: str, value: Any) -> Any:
    """Undo what :func:`attributes_of` made of a value."""
    if kind == "str":
        return value
    return np.array(value, np.dtype(kind)) if isinstance(value, list) else np.dtype(kind).type(value)


def _typed(value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        return "str", value
    if isinstance(value, list):
        return "str", [str(each) for each in value]
    array = np.asarray(value)
    listed = array.tolist()
    if array.dtype.kind == "f":  # JSON has neither NaN nor infinity
        listed = np.array(np.where(np.isfinite(array), array.astype(object), array.astype(str))).tolist()
    return array.dtype.str, listed


def layout_of_variable(variable: netCDF4.Variable) -> dict[str, Any]:
    """Give how a variable is stored, without its samples.

    Raises:
        SceneError: it has a type of the user's own.
    """
    dtype = None if variable.dtype is str else variable.dtype
    if dtype is not None and (not isinstance(dtype, np.dtype) or dtype.kind not in "iufS"):
        raise SceneError(f"variable {variable.name} has the type {variable.dtype}, which cannot be kept")
    filters = variable.filters() or {}
    chunks = variable.chunking()
    return {
        "name": variable.name,
        "type": "str" if dtype is None else dtype.str,
        "dimensions": list(variable.dimensions),
        "attributes": attributes_of(variable),
        "endian": variable.endian(),
        "chunks": chunks if isinstance(chunks, list) else None,
        "codec": next((name for name in CODECS if filters.get(name)), None),
        "level": int(filters.get("complevel") or 0),
        "shuffle": bool(filters.get("shuffle")),
        "fletcher32": bool(filters.get("fletcher32")),
        "filled": dtype is None or variable.get_fill_value() is not None,
    }


def make_variable(file: netCDF4.Dataset, kept: dict[str, Any]) -> netCDF4.Variable:
    """Make a variable as it was stored, without samples."""
    attributes = {name: attribute_value(kind, value) for name, kind, value in kept["attributes"]}
    options: dict[str, Any] = {}
    if file.data_model.startswith("NETCDF4") and kept["dimensions"]:
        sizes = [
            None if file.dimensions[name].isunlimited() else len(file.dimensions[name])
            for name in kept["dimensions"]
        ]
        if kept["chunks"]:
            options["chunksizes"] = [
                chunk if size is None else min(chunk, size)
                for chunk, size in zip(kept["chunks"], sizes, strict=True)
            ]
            options |= {"shuffle": kept["shuffle"], "fletcher32": kept["fletcher32"]}
            if kept["codec"] in CODECS:
                options |= {"compression": kept["codec"], "complevel": kept["level"]}
        else:
            options["contiguous"] = kept["type"] != "str" and None not in sizes
    fill = attributes.pop("_FillValue", None)
    datatype: Any = str if kept["type"] == "str" else np.dtype(kept["type"])
    variable = file.createVariable(
        kept["name"],
        datatype,
        kept["dimensions"],
        endian=kept["endian"],
        fill_value=False if fill is None and not kept["filled"] else fill,
        **options,
    )
    variable.set_auto_maskandscale(False)
    variable.set_auto_chartostring(False)
    variable.setncatts(attributes)
    return variable


def packed(variable: netCDF4.Variable) -> Any:
    """Give the samples of a small variable: text as a list, numbers deflated."""
    samples = variable[...]
    if variable.dtype is str:
        return np.asarray(samples, dtype=object).ravel().tolist()
    return base64.b64encode(zlib.compress(np.asarray(samples, variable.dtype).tobytes())).decode()


def unpacked(kept: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """Give the samples that :func:`packed` made of a variable of that shape.

    Raises:
        ValueError: they are others.
    """
    if kept["type"] == "str":
        return np.array(kept["samples"], dtype=object).reshape(shape)
    dtype = np.dtype(kept["type"])
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    # Never more than is due: what was damaged or made up may unpack to anything.
    deflated = zlib.decompressobj()
    samples = deflated.decompress(base64.b64decode(kept["samples"], validate=True), size or 1)
    if len(samples) != size:
        raise ValueError(f"variable {kept['name']} has {len(samples)} bytes, not {size}")
    return np.frombuffer(samples, dtype).reshape(shape)
