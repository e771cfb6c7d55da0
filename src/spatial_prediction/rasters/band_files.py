"""Files of one band each, named after it: a Sentinel-2 product (``.SAFE``), a folder of them, or a list."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.band_choice import chosen_bands, sentinel2_band
from spatial_prediction.rasters.containers import Band, BandLabel, Container, Grid, Samples
from spatial_prediction.rasters.safe_metadata import product_tags

SUFFIXES = (".jp2", ".tif", ".tiff")

_BAND = re.compile(
    r"(?:^|[_.-])(B(?:0?[1-9]|1[0-2]|8A)|blue|green|red|nir)(?:[_.-](\d{2})m)?$", re.IGNORECASE
)


class BandFile(NamedTuple):
    """A file of one band.

    Attributes:
        path: the file.
        band: its name in the file's name, such as ``B04``.
        metres: size of a pixel in the file's name; None where it is not there.
    """

    path: Path
    band: str
    metres: int | None


class BandFiles:
    """Files of one band each, a ``Container``. Only those of the wanted bands are opened.

    Args:
        path: a folder, searched with its subfolders, or a list of files.
        wanted: the bands.
    """

    kind = "files named after bands"

    def __init__(self, path: Path | Sequence[Path], wanted: Sequence[str]):
        paths = _listed(path) if isinstance(path, Path) else list(path)
        files = [found for each in paths if (found := named_band(each))]
        if not isinstance(path, Path) and len(files) < len(paths):
            unnamed = [each.name for each in paths if named_band(each) is None]
            raise SceneError(
                f"the names of {', '.join(unnamed)} name no band, as B04.tif or T33_B04_10m.jp2 do"
            )
        files = _finest(files)
        folder = path if isinstance(path, Path) else paths[0].parent
        if not files:
            raise SceneError(
                f"no file in it is named after a band ({', '.join(SUFFIXES)}; as B04.tif or T33_B04_10m.jp2)"
            )
        self.labels: Sequence[BandLabel] = [
            BandLabel(sentinel2_band(each.band) or each.band, each.path.name) for each in files
        ]
        self.tags: Mapping[str, Any] = {"the files' folder": folder.name, **product_tags(folder)}
        self._open: dict[int, Container] = {}
        with contextlib.ExitStack() as closing:
            closing.callback(self.close)
            for index in chosen_bands(wanted, self.labels):
                self._open[index] = _opened(files[index].path)
            closing.pop_all()

    def grid(self, band: int) -> Grid:
        """Give shape and place of a band, of those that were wanted."""
        return self._open[band].grid(0)

    def band(self, band: int) -> Band:
        """Give what the file of a band says of its samples, with the tags of the file."""
        own = self._open[band].band(0)
        return own._replace(attributes={**self._open[band].tags, **own.attributes})

    def read(self, bands: Sequence[int], rows: slice, columns: slice) -> Samples:
        """Read a window of bands; a pixel that one file masks is masked."""
        stored, masked = [], None
        for band in bands:
            try:
                window = self._open[band].read([0], rows, columns)
            except SceneError as fault:
                raise SceneError(f"{self.labels[band].place} {fault}") from fault.__cause__
            stored.append(window.stored[0])
            if window.masked is not None:
                masked = window.masked if masked is None else masked | window.masked
        return Samples(stored, masked)

    def close(self) -> None:
        """Close the files."""
        for each in self._open.values():
            each.close()


def named_band(path: Path) -> BandFile | None:
    """Read band and pixel size from a file's name; None where it names no band."""
    found = _BAND.search(path.stem)
    return BandFile(path, found[1], int(found[2]) if found[2] else None) if found else None


def _listed(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def _finest(files: Sequence[BandFile]) -> list[BandFile]:
    """Leave out files of a band that is there with smaller pixels, as Level-2A products have them."""
    finest: dict[str, int] = {}
    for each in files:
        if each.metres is not None:
            finest[each.band] = min(each.metres, finest.get(each.band, each.metres))
    return [each for each in files if each.metres is None or each.metres == finest[each.band]]


def _opened(path: Path) -> Container:
    from spatial_prediction.rasters.formats import open_container

    try:
        container = open_container(path, [])
    except SceneError as fault:
        raise SceneError(f"{path.name} {fault}") from fault.__cause__
    if len(container.labels) != 1:
        container.close()
        raise SceneError(f"{path.name} holds {len(container.labels)} bands, not one; name the file itself")
    return container
