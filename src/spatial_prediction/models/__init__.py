"""Networks. They take an object that handles their borders; ``border_from_name`` makes one from its name."""

from spatial_prediction.models._border_names import border_from_name
from spatial_prediction.models._borders import (
    AbstractBorder,
    DifferentialBorder,
    ExplicitBorder,
    PaddedBorder,
    PartialBorder,
)
from spatial_prediction.models._ending import Ending, phases_of
from spatial_prediction.models._network_file import (
    BUNDLED_NETWORK,
    bundled_network,
    load_network,
    network_and_header,
)
from spatial_prediction.models._rvsr import RVSR, merge_branches
from spatial_prediction.models._upscaling import bilinear_upscaling, pixel_unshuffle

__all__ = [
    "BUNDLED_NETWORK",
    "RVSR",
    "AbstractBorder",
    "DifferentialBorder",
    "Ending",
    "ExplicitBorder",
    "PaddedBorder",
    "PartialBorder",
    "bilinear_upscaling",
    "border_from_name",
    "bundled_network",
    "load_network",
    "merge_branches",
    "network_and_header",
    "phases_of",
    "pixel_unshuffle",
]
