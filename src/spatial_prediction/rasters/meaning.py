"""What the samples of a raster mean, decided once when it is opened."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.band_choice import sentinel2_band
from spatial_prediction.rasters.containers import Band, Container, common_grid
from spatial_prediction.rasters.decoding import Decoded, decode
from spatial_prediction.rasters.offset import Offset, OffsetSetting
from spatial_prediction.rasters.packing import is_packed
from spatial_prediction.rasters.probes import probe_windows
from spatial_prediction.rasters.settings import NodataSetting, ScaleSetting
from spatial_prediction.reflectance import DN_PER_REFLECTANCE

LARGEST_REFLECTANCE = 20.0
"""What is larger is no reflectance, whatever shines there."""

USUAL_REFLECTANCE = 2.0
USUAL_DN = 100.0

LEAST_LIKELY_DN = -2000

UNDECLARED_ZEROS = (
    "blocks of samples are exactly 0 and no missing values are declared, so they were taken as dark targets"
)
UNLIKELY = "samples are below -2000, as no product's are, and were taken as DN"


class Meaning:
    """How bands of a container are read as DN.

    Args:
        container: an open one.
        names: the bands, as they were asked for.
        indices: theirs in the container.
        offset: what is added to stored DN.
        scale: what stored numbers are.
        nodata: what is missing besides what is declared.
        file_name: may be that of a product.

    Raises:
        SceneError: what the samples mean cannot be decided; the message names no file.
    """

    def __init__(
        self,
        container: Container,
        names: Sequence[str],
        indices: Sequence[int],
        *,
        offset: OffsetSetting = "auto",
        scale: ScaleSetting = "auto",
        nodata: NodataSetting = "auto",
        file_name: str = "",
    ):
        self.container = container
        self._about = {**container.tags, "the file's name": file_name}
        self.names = list(names)
        self.indices = list(indices)
        self._offset: OffsetSetting = offset
        self._nodata: NodataSetting = nodata
        self._bands = {name: container.band(index) for name, index in zip(names, indices, strict=True)}
        for name, band in self._bands.items():
            check_numbers(name, band.dtype)
        self._scale: ScaleSetting = scale
        self._scale = self._decided_scale()
        nothing = {name: np.empty((0, 0), band.dtype) for name, band in self._bands.items()}
        self._decided = {name: self._decode(name, samples) for name, samples in nothing.items()}
        self.offset = common_offset(self._decided)
        self._check_offset_of_floats()
        self._doubts_told: set[str] = set()

    def read(self, rows: slice, columns: slice) -> dict[str, Decoded]:
        """Read a window of all bands.

        Raises:
            SceneError: the file is damaged, or holds what contradicts the meaning; the message names no file.
        """
        samples = self.container.read(self.indices, rows, columns)
        decoded = {
            name: self._decode(name, stored)
            for name, stored in zip(self.names, samples.as_masked(), strict=True)
        }
        if self._scale == "reflectance":
            for name, band in decoded.items():
                self._check_reflectance(name, band, rows.start, columns.start)
        return decoded

    def in_words(self) -> str:
        """Say how the samples are read, on one line."""
        places = [
            f"{name} is {_place(self.container, index, name)}"
            for name, index in zip(self.names, self.indices, strict=True)
        ]
        ways = "; ".join(dict.fromkeys(each.decided for each in self._decided.values()))
        return f"{', '.join(places)}; {ways}; {self._offset_in_words()}; {self._missing_in_words()}"

    def hints(self) -> list[str]:
        """Give what lets one suppose that DN carry +1000, though nothing states it."""
        return list(dict.fromkeys(hint for each in self._decided.values() for hint in each.hints))

    def doubts(self, decoded: Mapping[str, Decoded]) -> Iterator[str]:
        """Give what is unusual in a window, each kind once for a raster."""
        found = {
            UNDECLARED_ZEROS: any(each.undeclared_zeros for each in decoded.values()),
            UNLIKELY: any(((each.dn < LEAST_LIKELY_DN) & ~each.missing).any() for each in decoded.values()),
        }
        for doubt, is_there in found.items():
            if is_there and doubt not in self._doubts_told:
                self._doubts_told.add(doubt)
                yield f"{doubt}; if they are nodata, say so (nodata, --nodata)"

    def _decode(self, name: str, stored: np.ndarray) -> Decoded:
        band = self._bands[name]
        try:
            return decode(
                stored,
                band.attributes,
                scene_attributes=self._about,
                default_fill=band.default_fill,
                offset=self._offset,
                scale=self._scale,
                nodata=self._nodata,
                band=sentinel2_band(name),
                round_to_whole=False,
            )
        except SceneError as fault:
            raise SceneError(f"band {name}: {fault}") from fault.__cause__

    def _decided_scale(self) -> ScaleSetting:
        """Decide what has no packing: integers are DN, floats are judged by what they hold."""
        if self._scale != "auto":
            return self._scale
        unpacked = {name: band for name, band in self._bands.items() if not is_packed(band.attributes)}
        for name, band in unpacked.items():
            if band.dtype.itemsize == 1:
                raise SceneError(
                    f"band {name} holds {band.dtype} without a packing: DN of at most 255, or a picture; say "
                    "which (scale, --scale): dn, or the factor that gives reflectance"
                )
        floats = {name: band for name, band in unpacked.items() if band.dtype.kind == "f"}
        if not floats:
            return "auto"
        kinds = {name: self._judged(name, band) for name, band in floats.items()}
        if len({*kinds.values()}) > 1 or len(floats) < len(self._bands):
            others = {name: "packed or integers" for name in self._bands if name not in floats}
            listing = ", ".join(f"{name}: {kind}" for name, kind in {**kinds, **others}.items())
            raise SceneError(f"the bands are of several kinds ({listing}); store them alike")
        return next(iter(kinds.values()))

    def _judged(self, name: str, band: Band) -> Literal["dn", "reflectance"]:
        """Judge floats without a packing by some windows: DN and reflectance differ 10,000-fold."""
        values = self._probed(name, band)
        if values.size:
            largest, usual = np.abs(values).max(), np.quantile(np.abs(values), 0.99)
            if largest <= LARGEST_REFLECTANCE and usual <= USUAL_REFLECTANCE and (values % 1 != 0).any():
                return "reflectance"
            if np.median(np.abs(values)) > USUAL_DN:
                return "dn"
            found = f"{values.min():.6g} to {values.max():.6g}"
        else:
            found = "nothing but zeros and missing samples in the windows looked at"
        raise SceneError(
            f"band {name} holds {band.dtype} without a packing, {found}: neither DN nor reflectance "
            "without a doubt; say which (scale, --scale): dn, reflectance, or the factor that gives it; and "
            "what is missing (nodata, --nodata)"
        )

    def _probed(self, name: str, band: Band) -> np.ndarray:
        """Give samples that are neither missing nor 0, from windows all over the raster."""
        index = self.indices[self.names.index(name)]
        for windows in probe_windows(common_grid(self.container, [index])):
            found = []
            for rows, columns in windows:
                samples = self.container.read([index], rows, columns)
                decoded = decode(
                    samples.as_masked()[0],
                    band.attributes,
                    scene_attributes=self._about,
                    default_fill=band.default_fill,
                    offset=0,
                    scale="dn",
                    nodata=self._nodata,
                    round_to_whole=False,
                )
                found.append(decoded.dn[~decoded.missing & (decoded.dn != 0)])
            values = np.concatenate(found)
            if values.size:
                break
        return values

    def _check_reflectance(self, name: str, band: Decoded, row: int, column: int) -> None:
        far = ~band.missing & (np.abs(band.dn) > LARGEST_REFLECTANCE * DN_PER_REFLECTANCE)
        if far.any():
            first = np.argwhere(far)[0]
            raise SceneError(
                f"band {name} is read as reflectance and holds "
                f"{band.dn[tuple(first)] / DN_PER_REFLECTANCE:.6g} at row {row + first[0]}, column "
                f"{column + first[1]}; say what is missing (nodata, --nodata), or what it holds (scale, "
                "--scale)"
            )

    def _check_offset_of_floats(self) -> None:
        if self._offset == "auto" and self._scale == "reflectance" and self.offset.dn:
            raise SceneError(
                f"holds reflectance as floats and states {self.offset.stated_by}, which may be taken off or "
                "not; say what is to be added to DN (offset, --offset): 0 or -1000"
            )

    def _offset_in_words(self) -> str:
        if self.offset.stated_by is None:
            return f"offset {self.offset.dn}, as nothing states one"
        by = "as asked for" if self._offset != "auto" else f"by {self.offset.stated_by}"
        return f"offset {self.offset.dn}, {by}"

    def _missing_in_words(self) -> str:
        named = {text: None for each in self._decided.values() for text in each.declared}
        return f"missing: {', '.join(named)}" if named else "no missing values declared"


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the file's name before the message of every SceneError."""
    try:
        yield
    except SceneError as fault:
        raise SceneError(f"{path}: {fault}") from fault.__cause__


def check_numbers(name: str, dtype: np.dtype) -> None:
    """Raise SceneError where samples are not numbers."""
    if dtype.kind not in "iuf":
        raise SceneError(
            f"band {name} holds {'text' if dtype.kind in 'OSU' else dtype}, not numbers; store reflectance "
            "x 10000 as 16-bit integers"
        )


def common_offset(decoded: Mapping[str, Decoded]) -> Offset:
    """Give the offset that bands share, one that nothing states before others.

    Raises:
        SceneError: they have several.
    """
    offsets = {band: each.offset for band, each in decoded.items()}
    if len({offset.dn for offset in offsets.values()}) > 1:
        listing = ", ".join(
            f"{band} {offset.dn} ({offset.stated_by or 'nothing stated'})" for band, offset in offsets.items()
        )
        raise SceneError(f"the bands' offsets differ: {listing}; correct the attributes")
    unstated = [offset for offset in offsets.values() if offset.stated_by is None]
    return (unstated or list(offsets.values()))[0]


def _place(container: Container, index: int, name: str) -> str:
    label = container.labels[index]
    wavelength = "" if label.wavelength is None else f"{label.wavelength:.6g} nm"
    words = [each for each in (label.name if label.name != name else "", wavelength) if each]
    return f"{label.place} ({', '.join(words)})" if words else label.place
