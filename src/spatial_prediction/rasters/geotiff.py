"""GeoTIFF, cloud-optimised GeoTIFF and JPEG 2000, opened by rasterio."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import numbers, one_number, plain_name, shown, text
from spatial_prediction.rasters.band_choice import wavelength_in_nanometres
from spatial_prediction.rasters.containers import (
    Band,
    BandLabel,
    Grid,
    GroundControlPoint,
    Samples,
    flipped,
)
from spatial_prediction.rasters.tiff_checksums import BlockChecksums

if TYPE_CHECKING:
    import rasterio

CF_NAMES = ("scale_factor", "add_offset", "units", "_Unsigned", "valid_range", "valid_min", "valid_max")
"""Attributes of a variable that programs write as tags of the whole file when they make a GeoTIFF of it."""

NAME_TAGS = ("bandname", "longname", "netcdfvarname", "name", "description")
"""Tags of a band that may name it, without capitals and underscores, where it has no description."""

JPEG2000_MAGIC = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")

_SAME = 1e-6


class GeoTIFF:
    """A GeoTIFF or JPEG 2000 file, a ``Container``. Bands of transparency are no bands but a mask."""

    def __init__(self, path: Path):
        self._dataset = opened_dataset(path)
        self._checksums = BlockChecksums(path, self._dataset)
        try:
            self.kind = {"GTiff": "GeoTIFF"}.get(self._dataset.driver, "JPEG 2000")
            self._check_pages()
            self._numbers = [
                number
                for number, colour in zip(self._dataset.indexes, self._dataset.colorinterp, strict=True)
                if colour.name != "alpha"
            ]
            self._south_first = _is_south_first(self._dataset)
            self.labels: Sequence[BandLabel] = [self._label(number) for number in self._numbers]
            self.tags: Mapping[str, Any] = self._dataset.tags()
        except BaseException:
            self._dataset.close()
            raise

    def grid(self, band: int) -> Grid:
        """Give shape and place of a band; all bands share it."""
        dataset = self._dataset
        points, points_crs = dataset.gcps
        height = dataset.height
        transform: Affine | None = dataset.transform
        if transform == Affine.identity():
            transform = None  # as GDAL says that there is none
        elif transform is not None and self._south_first:
            transform = transform * Affine(1, 0, 0, 0, -1, height)
        return Grid(
            height,
            dataset.width,
            transform,
            None if dataset.crs is None else dataset.crs.to_wkt(),
            tuple(
                GroundControlPoint(
                    height - point.row if self._south_first else point.row,
                    point.col,
                    point.x,
                    point.y,
                    point.z or 0.0,
                )
                for point in points
            ),
            None if points_crs is None else points_crs.to_wkt(),
        )

    def band(self, band: int) -> Band:
        """Give what the file says of a band's samples: tags, nodata, scale, offset and unit."""
        index = self._numbers[band] - 1
        dataset = self._dataset
        attributes: dict[str, Any] = {
            **{name: self.tags[name] for name in CF_NAMES if name in self.tags},
            **dataset.tags(index + 1),
        }
        if (nodata := dataset.nodatavals[index]) is not None:
            attributes["GDAL_NODATA"] = int(nodata) if float(nodata).is_integer() else nodata
        packing = {"scale_factor": (dataset.scales[index], 1.0), "add_offset": (dataset.offsets[index], 0.0)}
        for name, (value, neutral) in packing.items():
            if value == neutral:
                continue  # a tag may say more
            if name in attributes and abs(one_number(name, attributes[name]) - value) > _SAME * abs(value):
                raise SceneError(
                    f"the tag {name}={shown(attributes[name])} contradicts the band's own, {value:g}; "
                    "correct one"
                )
            attributes[name] = value
        if dataset.units[index]:
            attributes["units"] = dataset.units[index]
        return Band(np.dtype(dataset.dtypes[index]), attributes)

    def read(self, bands: Sequence[int], rows: slice, columns: slice) -> Samples:
        """Read a window of bands at once: pixel-interleaved files are slow band by band."""
        from rasterio.enums import MaskFlags
        from rasterio.windows import Window

        dataset = self._dataset
        if self._south_first:
            rows = flipped(rows, dataset.height)
        window = Window.from_slices(rows, columns)
        indexes = [self._numbers[band] for band in bands]
        # nodata is ours to apply; only masks and alpha bands are GDAL's.
        masked_bands = [
            index for index in indexes if MaskFlags.per_dataset in dataset.mask_flag_enums[index - 1]
        ]
        self._checksums.check(indexes, rows, columns)
        with damage_named(), one_thread():
            stored = dataset.read(indexes, window=window)
            masked = None
            if masked_bands:
                masked = (dataset.read_masks(masked_bands, window=window) == 0).any(axis=0)
        if self._south_first:
            stored = stored[:, ::-1]
            masked = None if masked is None else masked[::-1]
        return Samples(list(stored), masked)

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()

    def _check_pages(self) -> None:
        pages = len(self._dataset.subdatasets)
        if pages > 1 or self._dataset.count == 0:
            raise SceneError(
                f"holds {pages} images, and a raster is one; store bands as bands of one image, "
                "or each in a file named after it"
            )

    def _label(self, number: int) -> BandLabel:
        dataset = self._dataset
        tags = dataset.tags(number)
        name = dataset.descriptions[number - 1] or _first_tag(tags, NAME_TAGS) or ""
        colour = dataset.colorinterp[number - 1].name
        if not name and colour in ("red", "green", "blue") and dataset.count > 1:
            name = colour
        return BandLabel(name, str(number), _wavelength(dataset, number, tags), of_several=True)


def one_thread() -> Any:
    """Give GDAL one thread: with several, it reads on where tiles of a truncated JPEG 2000 are missing."""
    import rasterio

    return rasterio.Env(GDAL_NUM_THREADS="1")


def _is_jpeg2000(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(12).startswith(JPEG2000_MAGIC)


def opened_dataset(path: Path) -> "rasterio.DatasetReader":
    """Open a GeoTIFF or JPEG 2000 file, and nothing that its content or name refers to.

    Raises:
        SceneError: it cannot be opened.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    try:
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            # A named driver: others follow references to other files and addresses.
            # An absolute path: what looks like an address is opened as one.
            return rasterio.open(path.absolute(), driver="JP2OpenJPEG" if _is_jpeg2000(path) else "GTiff")
    except UnicodeEncodeError as error:
        raise SceneError("its name is not UTF-8, which rasterio needs; rename the file") from error
    except RasterioIOError as error:
        raise SceneError(
            f"cannot be opened as GeoTIFF or JPEG 2000 ({_line(error)}): another format, or truncated; "
            "fetch or write it again"
        ) from error


@contextlib.contextmanager
def damage_named() -> Iterator[None]:
    """Turn what is raised while a file is read into a SceneError."""
    from rasterio.errors import RasterioError

    try:
        yield
    except (RasterioError, OSError) as error:
        causes = [error, *_causes(error)]
        raise SceneError(
            f"cannot be read ({_line(causes[-1])}): the file is damaged; fetch or write it again"
        ) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (cause := error.__cause__ or error.__context__) is not None:
        yield cause
        error = cause


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _is_south_first(dataset: "rasterio.DatasetReader") -> bool:
    """Whether rows run from south to north, where the raster is not rotated."""
    transform = dataset.transform
    return transform.e > 0 and transform.b == 0 == transform.d and not transform.is_identity


def _first_tag(tags: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    found = {plain_name(key): value for key, value in tags.items()}
    return next((found[name] for name in names if found.get(name)), None)


def _wavelength(dataset: "rasterio.DatasetReader", number: int, tags: Mapping[str, str]) -> float | None:
    """Give the wavelength of a band in nanometres, from ENVI's tags or GDAL's domain IMAGERY."""
    named = {plain_name(key): value for key, value in tags.items()}
    if "wavelength" in named:
        units = text(named.get("wavelengthunits", ""))
        found = numbers("wavelength", named["wavelength"])
        return wavelength_in_nanometres(found[0], units) if len(found) == 1 else None
    imagery = dataset.tags(number, ns="IMAGERY")
    if centre := imagery.get("CENTRAL_WAVELENGTH_UM"):
        return wavelength_in_nanometres(one_number("CENTRAL_WAVELENGTH_UM", centre), "um")
    return None
