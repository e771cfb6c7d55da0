"""Reading scenes for training: rasters of the bands B02, B03 and B04, whole numbers without a gap.

The published scenes are netCDF files by openEO, with one variable a band that holds DN, that is reflectance x
10,000. What else is read, what a file must be, and the message each fault gets, stands in ``docs/data.md``.
"""

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int16

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.band_choice import BANDS, chosen_bands, sentinel2_band
from spatial_prediction.rasters.containers import Container, common_grid
from spatial_prediction.rasters.decoding import DN_RANGE, Decoded, decode
from spatial_prediction.rasters.formats import open_container
from spatial_prediction.rasters.listing import list_scenes as list_scenes
from spatial_prediction.rasters.meaning import check_numbers, common_offset, named
from spatial_prediction.rasters.offset import Offset, OffsetSetting
from spatial_prediction.rasters.packing import LARGEST_ROUNDING
from spatial_prediction.rasters.settings import NodataSetting, ScaleSetting

logger = logging.getLogger(__name__)

OFFSET_HINT = (
    "DN may carry +1000 (processing baseline 04.00 and later) though nothing states it; set dataset.offset "
    "(--offset) to -1000 if they do, to 0 if not"
)
OTHER_OFFSET = "an attribute states another offset than dataset.offset (--offset), which was followed"
BELOW_ZERO = "more than a tenth of the samples are below 0; check dataset.offset (--offset)"
UNDECLARED_ZEROS = (
    "blocks of samples are exactly 0 and no missing values are declared, so they were taken as dark targets; "
    "if they are nodata, as in Sentinel-2 products, declare it (attribute _FillValue or nodata) or choose a "
    "smaller dataset.scene_size (--size)"
)
UNLIKELY = (
    "samples are below -2000, as no product's are, and were taken as DN; if they are nodata, declare it "
    "(attribute _FillValue or nodata)"
)
FEW_VALUES = "samples of 8 bits were taken as DN, a reflectance of at most 0.0255; export reflectance x 10000"

SMALLEST_DN_WITH_OFFSET = 1000
LEAST_LIKELY_DN = -2000


class Notice(NamedTuple):
    """Something a user should know about a scene that was read all the same.

    Attributes:
        text: what is the matter and what to do, in words that fit any number of scenes.
        detail: what was found in this one.
    """

    text: str
    detail: str


class Account(NamedTuple):
    """How a scene was read.

    Attributes:
        offset: what was added to the stored DN, and what says so.
        decided: how the samples were read, in words.
        notices: what a user should know.
    """

    offset: Offset
    decided: str
    notices: tuple[Notice, ...]


def read_scene(
    path: str | Path,
    *,
    size: int = 512,
    offset: OffsetSetting = "auto",
    bands: Sequence[str] = BANDS,
    scale: ScaleSetting = "auto",
    nodata: NodataSetting = "auto",
) -> Int16[np.ndarray, "{size} {size} 3"]:
    """Read the first ``size`` x ``size`` pixels of a scene, and log a warning of what is doubtful about it.

    Args:
        path: the file.
        size: rows and columns to read, from the first row and column on.
        offset: what is added to the stored DN; ``"auto"``: what the file states, 0 where it states nothing.
        bands: names, numbers or wavelengths of red, green and blue.
        scale: what stored numbers are; ``"auto"``: what the file's packing says, or else DN.
        nodata: what is missing besides what the file declares, or ``"none"`` in place of that.

    Returns:
        DN, int16, shape (size, size, 3), last axis red, green, blue.

    Raises:
        ConfigurationError: ``size`` is less than 1, or another argument none of these.
        SceneError: the file cannot be used; the message names the file, what was found and what to do.
    """
    dn, account = read_scene_with_account(
        path, size=size, offset=offset, bands=bands, scale=scale, nodata=nodata
    )
    for notice in account.notices:
        logger.warning("%s: %s (%s)", path, notice.text, notice.detail)
    return dn


def read_scene_with_account(
    path: str | Path,
    *,
    size: int = 512,
    offset: OffsetSetting = "auto",
    bands: Sequence[str] = BANDS,
    scale: ScaleSetting = "auto",
    nodata: NodataSetting = "auto",
) -> tuple[Int16[np.ndarray, "{size} {size} 3"], Account]:
    """Read a scene as :func:`read_scene` does, with an account of how it was read, and without logging.

    Args:
        path: the file.
        size: rows and columns to read, from the first row and column on.
        offset: what is added to the stored DN; ``"auto"``: what the file states, 0 where it states nothing.
        bands: names, numbers or wavelengths of red, green and blue.
        scale: what stored numbers are; ``"auto"``: what the file's packing says, or else DN.
        nodata: what is missing besides what the file declares, or ``"none"`` in place of that.

    Raises:
        ConfigurationError: ``size`` is less than 1, or another argument none of these.
        SceneError: the file cannot be used; the message names the file, what was found and what to do.
    """
    if size < 1:
        raise ConfigurationError(f"size={size}: a scene has at least 1 pixel along each axis; give 512 or so")
    if len(set(bands)) != len(BANDS):
        raise ConfigurationError(f"bands={list(bands)!r}: name three, of red, green and blue")
    path = Path(path)
    with named(path), contextlib.closing(open_container(path, bands)) as container:
        indices = chosen_bands(bands, container.labels)
        _check_size(container, indices, size)
        about = {**container.tags, "the file's name": path.name}
        decoded = {
            band: _decoded(container, index, band, size, about, offset, scale, nodata)
            for band, index in zip(bands, indices, strict=True)
        }
        account = _account(decoded, offset)
    return np.stack([each.dn for each in decoded.values()], axis=-1), account


# From here on faults do not name the file: read_scene_with_account puts its name before every message.


def _check_size(container: Container, indices: list[int], size: int) -> None:
    grid = common_grid(container, indices)
    if min(grid.height, grid.width) < size:
        raise SceneError(
            f"has {grid.height} x {grid.width} pixels, too small for {size} x {size}; use a larger scene or "
            "a smaller dataset.scene_size (--size)"
        )


def _decoded(
    container: Container,
    index: int,
    band: str,
    size: int,
    about: dict[str, object],
    offset: OffsetSetting,
    scale: ScaleSetting,
    nodata: NodataSetting,
) -> Decoded:
    stated = container.band(index)
    check_numbers(band, stated.dtype)
    samples = container.read([index], slice(0, size), slice(0, size))
    try:
        decoded = decode(
            samples.as_masked()[0],
            stated.attributes,
            scene_attributes=about,
            default_fill=stated.default_fill,
            offset=offset,
            scale=scale,
            nodata=nodata,
            band=sentinel2_band(band),
        )
    except SceneError as fault:
        raise SceneError(f"band {band}: {fault}") from fault.__cause__
    _check_complete(band, decoded)
    return dataclasses.replace(decoded, dn=_as_dn(band, decoded))


def _check_complete(band: str, decoded: Decoded) -> None:
    if decoded.missing.any():
        row, column = np.argwhere(decoded.missing)[0]
        raise SceneError(
            f"band {band} has {np.count_nonzero(decoded.missing)} missing samples "
            f"({', '.join(decoded.missing_because)}), the first at row {row}, column {column}; choose "
            "a scene or a dataset.scene_size (--size) without gaps, or have it left out "
            "(dataset.bad_scenes: skip)"
        )


def _as_dn(band: str, decoded: Decoded) -> np.ndarray:
    """Give int16; refuse what does not fit and, unless it was unpacked from reflectance, fractions."""
    if decoded.dn.dtype == np.int16:
        return decoded.dn
    whole = np.rint(decoded.dn)
    if not decoded.unpacked:
        _check_samples(
            band,
            decoded.dn,
            np.abs(decoded.dn - whole) > LARGEST_ROUNDING,
            "not a whole number; store DN, that is reflectance x 10000, rounded",
        )
    _check_samples(
        band,
        whole,
        (whole < DN_RANGE.min) | (whole > DN_RANGE.max),
        f"outside {DN_RANGE.min} to {DN_RANGE.max}; store DN, that is reflectance x 10000",
    )
    return whole.astype(np.int16)


def _check_samples(band: str, values: np.ndarray, bad: np.ndarray, fault: str) -> None:
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise SceneError(
            f"band {band} holds {values[row, column]:.6g} at row {row}, column {column}: {fault}"
        )


def _account(decoded: dict[str, Decoded], setting: OffsetSetting) -> Account:
    bands = list(decoded.values())
    return Account(
        offset=common_offset(decoded),
        decided="; ".join(dict.fromkeys(each.decided for each in bands)),
        notices=(*_offset_notices(bands, setting), *_sample_notices(decoded)),
    )


def _offset_notices(bands: list[Decoded], setting: OffsetSetting) -> Iterator[Notice]:
    """Give what speaks against the offset that was subtracted."""
    if overruled := dict.fromkeys(each.overruled for each in bands if each.overruled):
        yield Notice(OTHER_OFFSET, ", ".join(overruled))
    hints = list(dict.fromkeys(hint for each in bands for hint in each.hints))
    smallest = min(int(each.dn.min()) for each in bands)
    if smallest >= SMALLEST_DN_WITH_OFFSET and any(each.offset.stated_by is None for each in bands):
        hints.append(f"smallest DN {smallest}")
    if hints:
        yield Notice(OFFSET_HINT, ", ".join(hints))
    if setting == -1000 and (share := np.mean([np.mean(each.dn < 0) for each in bands])) > 0.1:
        yield Notice(BELOW_ZERO, f"{share:.0%}")


def _sample_notices(decoded: dict[str, Decoded]) -> Iterator[Notice]:
    """Give what is unusual for samples that are DN."""
    zeros = {band: each.undeclared_zeros for band, each in decoded.items()}
    if any(zeros.values()):
        yield Notice(UNDECLARED_ZEROS, _counts(zeros))
    unlikely = {band: int((each.dn < LEAST_LIKELY_DN).sum()) for band, each in decoded.items()}
    if any(unlikely.values()):
        yield Notice(UNLIKELY, _counts(unlikely))
    bands = list(decoded.values())
    if all(each.decided.startswith(("int8", "uint8")) and not each.unpacked for each in bands):
        yield Notice(FEW_VALUES, bands[0].decided)


def _counts(samples: dict[str, int]) -> str:
    return ", ".join(f"{count} in {band}" for band, count in samples.items() if count)
