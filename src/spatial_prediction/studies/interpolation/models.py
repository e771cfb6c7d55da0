"""Models of the study by name, where their fits begin, and their parameters as named arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from spatial_prediction.errors import CheckpointError
from spatial_prediction.gaussian_process import (
    AdditiveGridGP,
    DenseGP,
    StaticProductGP,
    kernel_from_name,
    with_sensible_start,
)
from spatial_prediction.gaussian_process.kernels import Matern, OnAxes, Scaled, unconstrained
from spatial_prediction.studies.interpolation.amplitude import Modulated, WithAmplitude
from spatial_prediction.studies.interpolation.config import (
    OF_AMPLITUDES,
    STATIC_COASTAL,
    STATIC_PRODUCT,
    WEATHER_MODELS,
    kernels_of,
)
from spatial_prediction.studies.interpolation.drift import Drifting

NOISE_SHARE = 0.1
"""Variance of the noise at the start, in that of the targets."""

REFERENCE_FLOOR, FLOOR = 1e-4, 1e-6
"""Lower bounds of that variance: the reference study's, of values divided by their maximum; and that of
targets of unit variance."""

DRIFTING_SMOOTHNESS = 1.5
"""Matern parameter nu in space of weather that drifts. It is likelier than 2.5 on the published field, in
training and on validation frames."""

Model = Any
"""A model of ``gaussian_process``: all have ``condition``."""


def starting_model(
    name: str, *, scaling: str, shape: tuple[int, int, int], amplitudes: Sequence[Sequence[float]] = ()
) -> Model:
    """Make a model at the parameters from which a fit starts.

    Args:
        name: time and space kernel, as ``matern-rbf``: their sum; or a static image with weather
            (``WEATHER_MODELS``): Matern kernels with a length for each axis.
        scaling: of its targets; with ``maximum`` all starts are the reference study's (every positive
            parameter is 0.693).
        shape: training frames, rows and columns of the grid.
        amplitudes: for ``OF_AMPLITUDES``, what :func:`~.amplitude.log_amplitude` gives.

    Raises:
        ConfigurationError: the name is not known.
    """
    reference = scaling == "maximum"
    floor = REFERENCE_FLOOR if reference else FLOOR
    noise = np.zeros(()) if reference else unconstrained(NOISE_SHARE)
    frames, rows, columns = shape
    times = np.arange(frames, dtype=np.float64)[:, None]
    pixels = np.argwhere(np.ones((rows, columns), dtype=bool)).astype(np.float64)

    def begun(kernel: Any, coordinates: np.ndarray, variance: float) -> Any:
        return kernel if reference else with_sensible_start(kernel, coordinates, variance=variance)

    if name in WEATHER_MODELS:
        smoothness = 2.5 if name == STATIC_PRODUCT else DRIFTING_SMOOTHNESS
        liveliness = tuple(map(tuple, amplitudes))
        coastal = name == STATIC_COASTAL
        places = np.column_stack([pixels, np.ravel(amplitudes)]) if coastal else pixels
        static, space = (
            begun(Scaled(Matern(np.zeros(places.shape[1]), nu=nu)), places, share)
            for nu, share in ((2.5, 0.8), (smoothness, 0.2))
        )
        # the variance of the weather is in its space kernel
        clock = Matern(np.zeros(()) if reference else unconstrained(min(3.0, frames / 2.0)), nu=1.5)
        if name == STATIC_PRODUCT:
            return StaticProductGP(static, space, clock, raw_noise=noise, noise_floor=floor)
        weather: Any = Drifting(space, clock, np.zeros(2))
        if name in OF_AMPLITUDES:
            weather = Modulated(weather, np.ones(()), liveliness)
        kernel: Any = OnAxes(static, tuple(range(1, 1 + places.shape[1]))) + weather
        if coastal:
            kernel = WithAmplitude(kernel, liveliness)
        return DenseGP(kernel, raw_noise=noise, noise_floor=floor)
    time, space = kernels_of(name)
    return AdditiveGridGP(
        begun(kernel_from_name(time, 1), times, 0.2),
        begun(kernel_from_name(space, 2), pixels, 0.8),
        raw_noise=noise,
        noise_floor=floor,
    )


def parameters(model: Model) -> dict[str, np.ndarray]:
    """All raw parameters by the path to them, such as ``time.raw_outputscale``."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(model)
    return {_name(path): np.asarray(leaf, np.float64) for path, leaf in leaves}


def with_parameters(model: Model, arrays: Mapping[str, np.ndarray]) -> Model:
    """Replace all raw parameters by those of :func:`parameters`.

    Raises:
        CheckpointError: names or shapes are another model's.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(model)
    expected = {_name(path): np.shape(leaf) for path, leaf in leaves}
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        raise CheckpointError(
            f"parameters {found} are not those of this model, {expected}; fit it again with its rule"
        )
    return jax.tree.unflatten(structure, [np.asarray(arrays[_name(path)], np.float64) for path, _ in leaves])


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path).removeprefix(".")
