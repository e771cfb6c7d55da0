"""ENVI rasters: a text header beside a file of plain numbers, which is read through a memory map.

GDAL reads a file that is shorter than its header says as zeros; ``envi_layout`` compares the lengths.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import one_number, shown
from spatial_prediction.rasters.band_choice import wavelength_in_nanometres
from spatial_prediction.rasters.containers import Band, BandLabel, Grid, Samples, flipped
from spatial_prediction.rasters.envi_header import header_transform, read_header, texts
from spatial_prediction.rasters.envi_layout import layout_of

SUFFIXES = ("", ".bsq", ".bil", ".bip", ".img", ".dat", ".raw")


class ENVI:
    """An ENVI raster, a ``Container``.

    Args:
        header: the text file.
        samples: the file of numbers; None: the one beside the header that has its name.
    """

    kind = "ENVI"

    def __init__(self, header: Path, samples: Path | None):
        self._header = read_header(header)
        self.tags: Mapping[str, Any] = self._header
        layout = layout_of(self._header)
        self._bands, self._lines, self._samples = layout.bands, layout.lines, layout.samples
        self._dtype = layout.dtype
        samples = samples or samples_of(header)
        layout.check_length(samples)
        self._cube = layout.mapped(samples)
        self._transform = header_transform(self._header)
        names, wavelengths = (
            texts(self._header, name, self._bands, strict=False) for name in ("band names", "wavelength")
        )
        units = str(self._header.get("wavelength units", ""))
        self.labels: Sequence[BandLabel] = [
            BandLabel(
                names[band] if names else "",
                str(band + 1),
                wavelength_in_nanometres(one_number("wavelength", wavelengths[band]), units)
                if wavelengths
                else None,
                of_several=True,
            )
            for band in range(self._bands)
        ]

    def grid(self, band: int) -> Grid:
        """Give shape and place of a band; all bands share it."""
        transform = self._transform
        if transform is not None and self._south_first:
            transform = transform * Affine(1, 0, 0, 0, -1, self._lines)
        crs = str(self._header.get("coordinate system string", "")) or None
        return Grid(self._lines, self._samples, transform, crs)

    def band(self, band: int) -> Band:
        """Give what the header says of a band's samples, under the names of CF."""
        attributes: dict[str, Any] = {}
        gains = texts(self._header, "data gain values", self._bands)
        shifts = texts(self._header, "data offset values", self._bands)
        factor = self._header.get("reflectance scale factor")
        if gains or shifts:
            attributes["scale_factor"] = gains[band] if gains else 1.0
            attributes["add_offset"] = shifts[band] if shifts else 0.0
        elif factor is not None:
            divisor = one_number("reflectance scale factor", factor)
            if divisor <= 0:
                raise SceneError(
                    f"the header's reflectance scale factor = {shown(factor)} is not above 0; correct it"
                )
            attributes["scale_factor"] = 1.0 / divisor
        return Band(self._dtype, attributes)

    def read(self, bands: Sequence[int], rows: slice, columns: slice) -> Samples:
        """Read a window of bands; the system reads only the pages that hold it."""
        if self._south_first:
            rows = flipped(rows, self._lines)
        stored = [np.array(self._cube[band, rows, columns]) for band in bands]
        return Samples([each[::-1] for each in stored] if self._south_first else stored)

    def close(self) -> None:
        """Give the memory map back."""
        del self._cube

    @property
    def _south_first(self) -> bool:
        transform = self._transform
        return transform is not None and transform.e > 0 and transform.b == 0 == transform.d


def header_of(path: Path) -> Path | None:
    """Find the header of a file of samples: ``x.hdr`` or ``x.bsq.hdr`` for ``x.bsq``, in any capitals.

    Raises:
        SceneError: there are both.
    """
    names = {f"{path.stem}.hdr".lower(), f"{path.name}.hdr".lower()}
    found = [each for each in path.parent.iterdir() if each.name.lower() in names and each != path]
    if len(found) > 1:
        raise SceneError(
            f"has {len(found)} headers ({', '.join(sorted(each.name for each in found))}), and either may be "
            "meant; remove one"
        )
    return found[0] if found else None


def samples_of(header: Path) -> Path:
    """Find the file of samples that belongs to a header.

    Raises:
        SceneError: there is none, or there are several.
    """
    wanted = {f"{header.stem}{suffix}".lower() for suffix in SUFFIXES}
    found = [
        each
        for each in header.parent.iterdir()
        if each.name.lower() in wanted and each != header and each.is_file()
    ]
    if len(found) != 1:
        listing = ", ".join(sorted(each.name for each in found)) or "none"
        raise SceneError(
            f"its samples may be in {listing}: there must be one file of the header's name "
            f"({', '.join(header.stem + suffix for suffix in SUFFIXES)}); name the file itself instead"
        )
    return found[0]
