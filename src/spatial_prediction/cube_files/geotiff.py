"""GeoTIFF cubes: all bands of one file, with everything that GDAL says of them."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from spatial_prediction.cube_files.protocol import (
    Cube,
    Restored,
    Write,
    check_ending,
    check_samples,
    in_range,
    metadata_read,
)
from spatial_prediction.errors import SceneError
from spatial_prediction.files import written_aside
from spatial_prediction.output_files import check_output, only_writer
from spatial_prediction.rasters.gdal_writing import check_complete, points_to_write, writer_failures_named
from spatial_prediction.rasters.geotiff import damage_named, one_thread, opened_dataset
from spatial_prediction.rasters.tiff_checksums import BlockChecksums

if TYPE_CHECKING:
    import rasterio

EXACT_CODECS = ("none", "deflate", "lzw", "zstd", "packbits", "lzma")
"""Codecs that are restored; samples of others (JPEG, LERC) would change, and are written with deflate."""

_STRUCTURE = ("IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "TIFF", "RPC")
"""Namespaces of tags that GDAL makes itself, or that are kept otherwise."""


class GeoTIFFCube:
    """A GeoTIFF file, a ``Source``."""

    kind = "GeoTIFF"

    def __init__(self, path: Path):
        with contextlib.ExitStack() as closing:
            dataset = self._dataset = closing.enter_context(opened_dataset(path))
            if dataset.driver != "GTiff":
                raise SceneError("is JPEG 2000, compressed already; decompress it into a GeoTIFF first")
            if dataset.count == 0 or len(dataset.subdatasets) > 1:
                raise SceneError("holds no image, or several; a cube is the bands of one image")
            self.dtype = np.dtype(dataset.dtypes[0])
            check_samples(self.dtype)
            _check_mask(dataset)
            self._checksums = BlockChecksums(path, dataset)
            self.files: tuple[Path, ...] = (path,)
            self.shape = (dataset.height, dataset.width, dataset.count)
            self.rows_at_once = dataset.block_shapes[0][0]
            nodata = dataset.nodata
            self.nodata: tuple[int, ...] = ()
            if nodata is not None and in_range(nodata, self.dtype):
                self.nodata = (int(nodata),)
            self.metadata = _metadata(dataset, path)
            hidden = _hidden_nodata(dataset)
            self.not_kept = tuple(
                what
                for what, is_there in (
                    (f"nodata value {hidden}, which no sample can have,", hidden),
                    ("overviews", dataset.overviews(1)),
                    ("XML packets", any(name.startswith("xml:") for name in dataset.tag_namespaces())),
                )
                if is_there
            )
            closing.pop_all()

    def read(self, rows: slice) -> Cube:
        """Read rows of all bands."""
        from rasterio.windows import Window

        columns = slice(0, self.shape[1])
        self._checksums.check(list(self._dataset.indexes), rows, columns)
        with damage_named(), one_thread():
            stored = self._dataset.read(window=Window.from_slices(rows, columns))
        return np.ascontiguousarray(stored.transpose(1, 2, 0))

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()


def _check_mask(dataset: "rasterio.DatasetReader") -> None:
    from rasterio.enums import MaskFlags

    flags = [set(each) for each in dataset.mask_flag_enums]
    if any(MaskFlags.per_dataset in each and MaskFlags.alpha not in each for each in flags):
        raise SceneError(
            "has a mask beside its bands, which would be lost; mark missing samples by a nodata value instead"
        )


def _hidden_nodata(dataset: "rasterio.DatasetReader") -> str:
    """Give a nodata value that no sample can have, of which rasterio says nothing; "" if there is none."""
    import rasterio
    import rasterio.shutil
    from rasterio.errors import NotGeoreferencedWarning

    if dataset.nodata is not None:
        return ""
    with rasterio.MemoryFile(ext=".vrt") as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        rasterio.shutil.copy(dataset, memory.name, driver="VRT")
        stated = re.search(rb"<NoDataValue>([^<]*)</NoDataValue>", memory.read())
    return stated[1].decode() if stated else ""


def _metadata(dataset: "rasterio.DatasetReader", path: Path) -> dict[str, Any]:
    structure = {name.lower(): value for name, value in dataset.tags(ns="IMAGE_STRUCTURE").items()}
    with open(path, "rb") as file:
        start = file.read(4)
    points, points_crs = dataset.gcps
    colours = dataset.colorinterp
    return {
        "format": "GeoTIFF",
        "crs": None if dataset.crs is None else dataset.crs.to_wkt(),
        "transform": list(dataset.transform)[:6],
        "gcps": [[point.row, point.col, point.x, point.y, point.z, point.id, point.info] for point in points],
        "gcps_crs": None if points_crs is None else points_crs.to_wkt(),
        "rpc": dataset.tags(ns="RPC"),
        "nodata": dataset.nodata,
        "names": list(dataset.descriptions),
        "scales": list(dataset.scales),
        "offsets": list(dataset.offsets),
        "units": list(dataset.units),
        "colours": [colour.name for colour in colours],
        "colormap": sorted(dataset.colormap(1).items()) if colours[0].name == "palette" else None,
        "tags": _tags(dataset, 0),
        "band_tags": [_tags(dataset, number) for number in dataset.indexes],
        "block": list(dataset.block_shapes[0]),
        "tiled": dataset.profile["tiled"],
        "interleave": structure.get("interleave", "band").lower(),
        "codec": structure.get("compression", "none").lower(),
        "predictor": int(structure.get("predictor", 1)),
        "bits": int(dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 0)),
        "is_big": start[2:] in (b"+\0", b"\0+"),
        "big_endian": start.startswith(b"MM"),
    }


def _tags(dataset: "rasterio.DatasetReader", band: int) -> dict[str, dict[str, str]]:
    """Give tags by namespace; "" is GDAL's default one."""
    names = [
        name
        for name in dataset.tag_namespaces(band)
        if name not in _STRUCTURE and not name.startswith("xml:")
    ]
    found = {name: dataset.tags(band, ns=name or None) for name in dict.fromkeys(["", *names])}
    return {name: tags for name, tags in found.items() if tags}


@contextlib.contextmanager
def geotiff_written(restored: Restored) -> Iterator[Write]:
    """Write a GeoTIFF; a ``Writer``."""
    import rasterio
    from rasterio.windows import Window

    check_ending(restored.path, (".tif", ".tiff"), "GeoTIFF")
    check_output(restored.path, {"input": restored.source}, overwrite=restored.overwrite)
    columns = restored.description.shape[1]
    with (
        only_writer(restored.path),
        written_aside(restored.path) as temporary,
        writer_failures_named(restored.path),
        rasterio.Env(GDAL_PAM_ENABLED="NO"),  # all into the file, nothing beside it
    ):
        with metadata_read(restored.source):
            dataset = _begun(temporary, restored)
        with dataset:
            first = 0

            def write(cube: Cube) -> None:
                nonlocal first
                dataset.write(cube.transpose(2, 0, 1), window=Window(0, first, columns, len(cube)))
                first += len(cube)

            yield write
        check_complete(temporary)


def _begun(path: Path, restored: Restored) -> "rasterio.io.DatasetWriter":
    """Begin the file with all that is not samples."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    metadata = restored.metadata
    _, columns, bands = restored.description.shape
    place = _place(restored)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        dataset = rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=restored.height,
            width=columns,
            count=bands,
            dtype=np.dtype(restored.description.dtype).name,
            nodata=metadata["nodata"],
            **_creation_options(metadata),
            **{name: place[name] for name in ("crs", "transform") if name in place},
        )
        with contextlib.ExitStack() as closing:
            closing.callback(dataset.close)
            _describe(dataset, metadata, place)
            closing.pop_all()
    return dataset


def _creation_options(metadata: dict[str, Any]) -> dict[str, Any]:
    codec = metadata["codec"] if metadata["codec"] in EXACT_CODECS else "deflate"
    options: dict[str, Any] = {
        "interleave": metadata["interleave"],
        "bigtiff": "YES" if metadata["is_big"] else "IF_SAFER",
        "endianness": "BIG" if metadata["big_endian"] else "LITTLE",
        "blockysize": metadata["block"][0],
    }
    if metadata["tiled"]:
        options |= {"tiled": True, "blockxsize": metadata["block"][1]}
    if codec != "none":
        options["compress"] = codec
    if codec in ("deflate", "lzw", "zstd") and metadata["predictor"] in (1, 2):
        options["predictor"] = metadata["predictor"]
    if metadata["bits"]:
        options["nbits"] = metadata["bits"]
    return options


def _place(restored: Restored) -> dict[str, Any]:
    """Give the georeference of the rows to be written."""
    import rasterio
    from rasterio.control import GroundControlPoint

    metadata, first = restored.metadata, restored.rows.start
    transform = Affine(*metadata["transform"])
    place: dict[str, Any] = {}
    if not transform.is_identity:
        place["transform"] = transform * Affine.translation(0, first)
    if metadata["crs"] is not None:
        place["crs"] = rasterio.CRS.from_wkt(metadata["crs"])
    if metadata["gcps"]:
        points = [GroundControlPoint(row - first, *others) for row, *others in metadata["gcps"]]
        is_point = metadata["tags"].get("", {}).get("AREA_OR_POINT") == "Point"
        points = points_to_write(points, is_point=is_point)
        crs = metadata["gcps_crs"]
        place["gcps"] = (points, rasterio.CRS.from_wkt(crs) if crs else rasterio.CRS())
    if rpc := dict(metadata["rpc"]):
        rpc["LINE_OFF"] = str(float(rpc["LINE_OFF"]) - first) if first else rpc["LINE_OFF"]
        place["rpc"] = rpc
    return place


def _describe(dataset: "rasterio.io.DatasetWriter", metadata: dict[str, Any], place: dict[str, Any]) -> None:
    from rasterio.enums import ColorInterp

    if "gcps" in place:
        dataset.gcps = place["gcps"]
    for name, tags in metadata["tags"].items():
        dataset.update_tags(ns=name or None, **tags)
    if "rpc" in place:
        dataset.update_tags(ns="RPC", **place["rpc"])
    for number, spaces in enumerate(metadata["band_tags"], 1):
        for name, tags in spaces.items():
            dataset.update_tags(number, ns=name or None, **tags)
        if metadata["names"][number - 1] is not None:
            dataset.set_band_description(number, metadata["names"][number - 1])
        if metadata["units"][number - 1] is not None:
            dataset.set_band_unit(number, metadata["units"][number - 1])
    if any(scale != 1 for scale in metadata["scales"]) or any(metadata["offsets"]):
        dataset.scales, dataset.offsets = metadata["scales"], metadata["offsets"]
    colours = [ColorInterp[name] for name in metadata["colours"]]
    if list(dataset.colorinterp) != colours:
        dataset.colorinterp = colours
    if metadata["colormap"]:
        dataset.write_colormap(1, {int(value): tuple(colour) for value, colour in metadata["colormap"]})
