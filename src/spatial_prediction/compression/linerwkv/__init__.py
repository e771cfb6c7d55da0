"""LineRWKV, a network that predicts hyperspectral lines, in floating point for training.

Only its integer form, ``integer_linerwkv``, takes part in coding.
"""

from spatial_prediction.compression.linerwkv._model import SIZES, LineRWKV, Size
from spatial_prediction.compression.linerwkv._published import PUBLISHED, Published, parameters_digest
from spatial_prediction.compression.linerwkv._quantisation import quantised
from spatial_prediction.compression.linerwkv._state_dict import (
    LARGEST_FILE,
    parsed_state_dict,
    read_state_dict,
)
from spatial_prediction.compression.linerwkv._training import optimizer, training_loss, training_predictions
from spatial_prediction.compression.linerwkv._wkv import Average, empty, wkv, wkv_step

__all__ = [
    "LARGEST_FILE",
    "PUBLISHED",
    "SIZES",
    "Average",
    "LineRWKV",
    "Published",
    "Size",
    "empty",
    "optimizer",
    "parameters_digest",
    "parsed_state_dict",
    "quantised",
    "read_state_dict",
    "training_loss",
    "training_predictions",
    "wkv",
    "wkv_step",
]
