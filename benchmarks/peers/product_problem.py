"""What latent_kronecker.py and its peer share: the problem's file, the clock, and the line they print."""

import json
import resource
import time
from collections.abc import Callable

import numpy as np
from peak_memory import peak_memory


def processors() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def judge(
    problem: dict[str, np.ndarray],
    fit: Callable[[], None],
    predict: Callable[[], tuple[np.ndarray, np.ndarray]],
) -> None:
    """Time fit and prediction, and print errors at hidden cells as a line of JSON.

    Args:
        problem: ``field`` (frames, rows, columns), ``mask`` of its observed cells.
        fit: finds the parameters of scaled values.
        predict: mean and variance of new observations of all cells, scaled as :func:`scaled` does.
    """
    clock, before = time.perf_counter(), processors()
    fit()
    fitted, wall = processors(), time.perf_counter() - clock
    mean, variance = predict()
    predicted = processors()
    field, mask = problem["field"], problem["mask"]
    centre, scale = field[mask].mean(), field[mask].std()
    errors = (field - centre - scale * mean.reshape(field.shape))[~mask]
    spread = scale * np.sqrt(variance.reshape(field.shape))[~mask]
    density = 0.5 * np.log(2 * np.pi * spread**2) + 0.5 * (errors / spread) ** 2
    found = {
        "fit": fitted - before,
        "wall": wall,
        "prediction": predicted - fitted,
        "mae": np.abs(errors).mean(),
        "rmse": np.sqrt((errors**2).mean()),
        "coverage": (np.abs(errors) <= 1.96 * spread).mean(),
        "nlpd": density.mean(),
        "megabytes": peak_memory(),
    }
    print(json.dumps({name: float(value) for name, value in found.items()}))


def scaled(problem: dict[str, np.ndarray]) -> np.ndarray:
    """The field with mean 0 and variance 1 of what is observed, NaN where hidden."""
    field, mask = problem["field"], problem["mask"]
    return np.where(mask, (field - field[mask].mean()) / field[mask].std(), np.nan)
