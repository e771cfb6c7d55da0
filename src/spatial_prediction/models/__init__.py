"""Networks; a padding is handed in, so no network knows any method by itself."""

from spatial_prediction.models._network_file import load_network, network_and_header
from spatial_prediction.models._rvsr import LARGEST_OUTPUT_CROP, RVSR, merge_branches
from spatial_prediction.models._upscaling import bilinear_upscaling, pixel_unshuffle

__all__ = [
    "LARGEST_OUTPUT_CROP",
    "RVSR",
    "bilinear_upscaling",
    "load_network",
    "merge_branches",
    "network_and_header",
    "pixel_unshuffle",
]
