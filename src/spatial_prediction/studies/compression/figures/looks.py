"""What figures and tables of the study share: names and colours of codecs."""

from typing import Any

from spatial_prediction.studies.compression.config import (
    CCSDS123,
    DPCM,
    LEAST_SQUARES,
    LINERWKV,
    MIXTURE,
    PREDICTORS,
)

LABELS = {
    DPCM: "neighbours (DPCM)",
    CCSDS123: "CCSDS 123.0-B-2",
    LEAST_SQUARES: "least squares",
    LINERWKV: "LineRWKV",
    MIXTURE: "least squares + LineRWKV",
    "zstd": "Zstandard",
    "blosc2": "Blosc2",
    "aec": "CCSDS 121 (AEC)",
    "jpegls": "JPEG-LS",
    "jpeg2000": "JPEG 2000",
    "jpegxl": "JPEG XL",
}

COLOURS = {
    DPCM: "#56b4e9",
    CCSDS123: "black",
    LEAST_SQUARES: "#0072b2",
    LINERWKV: "#d55e00",
    MIXTURE: "#009e73",
    "zstd": "0.6",
    "blosc2": "0.45",
    "aec": "#e69f00",
    "jpegls": "#cc79a7",
    "jpeg2000": "#7a5195",
    "jpegxl": "#bc5090",
}
"""Of predictors and of the codecs of images, which have one colour in all arrangements."""

ARRANGEMENTS = {"bands": "by band", "differences": "band differences", "pixels": "pixels x bands"}
"""In words."""

MARKERS = {"bands": "s", "differences": "^", "pixels": "D"}


def label(codec: str) -> str:
    """Name of a codec as figures and tables have it."""
    name, _, arrangement = codec.partition("-")
    return f"{LABELS[name]}, {ARRANGEMENTS[arrangement]}" if arrangement else LABELS[name]


def look(codec: str) -> dict[str, Any]:
    """Colour and marker of a codec, and its name for a legend."""
    name, _, arrangement = codec.partition("-")
    return {"color": COLOURS[name], "marker": MARKERS.get(arrangement, "o"), "label": label(codec)}


def in_order(codecs: list[str]) -> list[str]:
    """Predictors first, in their own order, then the others as they are given."""
    known = [name for name in PREDICTORS if name in codecs]
    return [*known, *(name for name in codecs if name not in PREDICTORS)]
