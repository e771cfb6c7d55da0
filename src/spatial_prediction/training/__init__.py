"""Training: schedule, step, loop and checkpoints, for pytrees and Optax; knows no model by name."""

from spatial_prediction.training._checkpoint import Checkpoints
from spatial_prediction.training._divergence import Failure
from spatial_prediction.training._loop import train
from spatial_prediction.training._parts import mean_over_parts
from spatial_prediction.training._read_ahead import ReadAhead, reading_ahead
from spatial_prediction.training._run import History, Outcome
from spatial_prediction.training._schedule import learning_rate, optimizer
from spatial_prediction.training._step import AtOnce, InTurn, make_update, runs_together
from spatial_prediction.training._termination import Interrupted

__all__ = [
    "AtOnce",
    "Checkpoints",
    "Failure",
    "History",
    "InTurn",
    "Interrupted",
    "Outcome",
    "ReadAhead",
    "learning_rate",
    "make_update",
    "mean_over_parts",
    "optimizer",
    "reading_ahead",
    "runs_together",
    "train",
]
