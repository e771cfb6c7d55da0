"""Kernels by name, and the names of their raw parameters."""

from collections.abc import Iterator, Mapping
from typing import Any

import equinox as eqx
import numpy as np

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process._precision import real
from spatial_prediction.gaussian_process.kernels._base import AbstractKernel, Disabled, Scaled
from spatial_prediction.gaussian_process.kernels._oscillating import Periodic, SpectralMixture
from spatial_prediction.gaussian_process.kernels._stationary import RBF, Matern, SoftDisabled

SPACE_KERNELS = ("rbf", "matern", "periodic", "spectral")
"""Names of kernels for rows and columns."""

TIME_KERNELS = (*SPACE_KERNELS, "softdisabled", "disabled")
"""Names of kernels for time."""

_SHORT_NAMES = {
    "raw_outputscale": "os",
    "raw_lengthscale": "ls",
    "raw_period": "per",
    "raw_weights": "w",
    "raw_frequencies": "mu",
    "raw_scales": "v",
}


def kernel_from_name(name: str, dimensions: int, *, ard: bool = False, mixtures: int = 2) -> AbstractKernel:
    """Make a kernel with a variance of its own; every raw parameter is 0, every positive one 0.693.

    Args:
        name: one of ``TIME_KERNELS``.
        dimensions: number of coordinates D.
        ard: a lengthscale for each coordinate ("automatic relevance determination"); ``rbf`` and ``matern``
            only.
        mixtures: number of components of ``spectral``.

    Raises:
        ConfigurationError: the name is not known, or the kernel has no lengthscale for each coordinate.
    """
    if name not in TIME_KERNELS:
        raise ConfigurationError(f"kernel {name!r} is not known; choose one of {', '.join(TIME_KERNELS)}")
    if ard and name not in ("rbf", "matern"):
        raise ConfigurationError(f"kernel {name!r} has no lengthscale for each coordinate; leave ard=False")
    lengthscale = np.zeros(dimensions if ard else ())
    match name:
        case "disabled":
            return Disabled()
        case "softdisabled":
            return SoftDisabled()
        case "rbf":
            return Scaled(RBF(lengthscale))
        case "matern":
            return Scaled(Matern(lengthscale))
        case "periodic":
            return Scaled(Periodic())
    of_each_coordinate = np.zeros((mixtures, dimensions))
    return Scaled(SpectralMixture(np.zeros(mixtures), of_each_coordinate, of_each_coordinate))


def raw_parameters(kernel: AbstractKernel, prefix: str) -> dict[str, Any]:
    """Raw parameters of a kernel, or their gradient, by names such as ``raw_space_os`` (prefix ``space``)."""
    return {f"raw_{prefix}_{name}": value for name, value in _named(kernel)}


def with_raw_parameters(kernel: AbstractKernel, prefix: str, raw: Mapping[str, Any]) -> AbstractKernel:
    """Replace every raw parameter of a kernel by the one of its name in ``raw``.

    Raises:
        ConfigurationError: one is missing or has another shape.
    """
    values = []
    for name, current in raw_parameters(kernel, prefix).items():
        if name not in raw:
            raise ConfigurationError(f"raw parameter {name} is missing; give it with shape {current.shape}")
        if np.shape(raw[name]) != current.shape:
            raise ConfigurationError(
                f"raw parameter {name} has shape {np.shape(raw[name])}; it must be {current.shape}"
            )
        values.append(real(raw[name]))
    if not values:
        return kernel
    return eqx.tree_at(lambda kernel: [value for _, value in _named(kernel)], kernel, values)


def _named(kernel: AbstractKernel) -> Iterator[tuple[str, Any]]:
    """(short name, raw parameter) of a kernel by itself or with a variance."""
    for field, name in _SHORT_NAMES.items():
        if hasattr(kernel, field):
            yield name, getattr(kernel, field)
    if isinstance(kernel, Scaled):
        yield from _named(kernel.kernel)
