"""Training: schedule, step, loop and checkpoints; knows pytrees and Optax, and no model by name."""

from spatial_prediction.training._checkpoint import Checkpoints, load_arrays, save_arrays
from spatial_prediction.training._loop import History, Interrupted, Outcome, make_update, train
from spatial_prediction.training._schedule import learning_rate, optimizer

__all__ = [
    "Checkpoints",
    "History",
    "Interrupted",
    "Outcome",
    "learning_rate",
    "load_arrays",
    "make_update",
    "optimizer",
    "save_arrays",
    "train",
]
