"""LineRWKV, a network that predicts hyperspectral lines, in floating point for training.

Only its integer form, ``integer_linerwkv``, takes part in coding.
"""

from spatial_prediction.compression.linerwkv._model import SIZES, LineRWKV, Size
from spatial_prediction.compression.linerwkv._quantisation import quantised
from spatial_prediction.compression.linerwkv._training import optimizer, training_loss, training_predictions
from spatial_prediction.compression.linerwkv._wkv import Average, empty, wkv, wkv_step

__all__ = [
    "SIZES",
    "Average",
    "LineRWKV",
    "Size",
    "empty",
    "optimizer",
    "quantised",
    "training_loss",
    "training_predictions",
    "wkv",
    "wkv_step",
]
