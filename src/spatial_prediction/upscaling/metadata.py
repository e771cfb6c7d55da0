"""What an output says of itself: attributes of the input that still hold, and how it was made."""

import re
from collections.abc import Mapping
from typing import Any

import spatial_prediction
from spatial_prediction.rasters.attributes import plain_name, text

OUTDATED = re.compile(
    r"statistics.*|.*histogram.*|ovr.*|overviewresampling|interleave|compression|layout"  # of the old pixels
    r"|tiff(tag)?(x|y|)resolution(unit)?|.*spatialresolution|geospatial(lat|lon|x|y)resolution"
    r"|fillvalue|missingvalues?|(gdal)?nodata(vals?|values?)?|dataignorevalue|valid(range|min|max)"
    r"|scalefactor|addoffset|scales?|offsets?|unsigned|.*quantificationvalue"  # of the old samples
    r"|.*(boa|radio)addoffset.*|.*boaoffsetapplied|.*processingbaseline"
    r"|(bands?|samples|lines|interleave|datatype|byteorder|headeroffset|mapinfo|wavelength.*|fwhm|bandnames)"
    r"|tifftagsoftware|areaorpoint|conventions|spatialprediction.*"
)
"""Attributes of a file that are about its own pixels, samples or bands; letters and digits only."""


def kept_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Give the attributes of a file that hold for its upscaled image, as text.

    Left out are those about the old pixels, such as statistics, and the old samples, such as an offset that
    has been taken off. ``AREA_OR_POINT`` is the writer's.
    """
    return {
        name: text(value)
        for name, value in tags.items()
        if "#" not in name and not OUTDATED.fullmatch(plain_name(name))
    }


def provenance_tags(*, model: str, checksum: str, strategy: str, source: str) -> dict[str, str]:
    """Say how an output was made; no time and no folder, so that equal runs give equal files.

    Args:
        model: name of the network's file.
        checksum: SHA-256 of that file.
        strategy: what happened where tiles met.
        source: name of the input.
    """
    return {
        "SPATIAL_PREDICTION_VERSION": spatial_prediction.__version__,
        "SPATIAL_PREDICTION_MODEL": model,
        "SPATIAL_PREDICTION_MODEL_SHA256": checksum,
        "SPATIAL_PREDICTION_STRATEGY": strategy,
        "SPATIAL_PREDICTION_SOURCE": source,
        "boa_offset_applied": "yes",  # no offset is left in the DN: readers must not take it off again
    }
