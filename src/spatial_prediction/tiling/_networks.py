"""Any network as a function of NumPy batches."""

from collections.abc import Callable
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

Predict: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From a batch (batch, channels, height, width) to (batch, outputs, factor * height, factor * width)."""


def as_predict(network: Any) -> Predict:
    """Return a function of NumPy batches.

    Args:
        network: an Equinox module of one example (channels, height, width), which is compiled once for each
            shape and batched by ``jax.vmap``, so that no tile sees another; or a function of NumPy batches,
            such as ``lambda batch: model(torch.from_numpy(batch)).numpy(force=True)`` for PyTorch and
            ``lambda batch: session.run(None, {"input": batch})[0]`` for ONNX.

    Raises:
        TypeError: ``network`` is neither.
    """
    if isinstance(network, eqx.Module):
        return lambda batch: np.asarray(_batched(network, jnp.asarray(batch)))
    if not callable(network):
        raise TypeError(
            f"network must be an Equinox module or a function of NumPy batches, got {type(network).__name__}"
        )
    return network


def upscale_factor_of(network: Any, factor: int | None) -> int:
    """Return ``factor``, or what the network says itself by an attribute ``upscale_factor``.

    Raises:
        ValueError: neither says it.
    """
    if factor is None:
        factor = getattr(network, "upscale_factor", None)
    if not isinstance(factor, int) or factor < 1:
        raise ValueError(
            "factor must be given, output pixels per input pixel along each axis, at least 1: "
            f"{type(network).__name__} has no attribute upscale_factor; got {factor!r}"
        )
    return factor


def check_prediction(prediction: np.ndarray, batch: np.ndarray, factor: int) -> None:
    """Refuse predictions of another size than the tiles', times ``factor``, and those that are not floating.

    Raises:
        ValueError: the network crops, pads, or has another factor.
        TypeError: it makes integers, such as labels, which can be neither mixed nor NaN.
    """
    expected = (len(batch), *(size * factor for size in batch.shape[2:]))
    if prediction.ndim != 4 or (len(prediction), *prediction.shape[2:]) != expected:
        raise ValueError(
            f"the network made {prediction.shape} of tiles {batch.shape}, but a factor of {factor} requires "
            f"(batch, outputs, {expected[1]}, {expected[2]}); give the right factor, and the network with an "
            "output crop of 0: the overlap of tiles does the cropping"
        )
    if not np.issubdtype(prediction.dtype, np.floating):
        raise TypeError(
            f"the network must make NumPy's floating numbers, got {prediction.dtype}; convert them, or tile "
            "scores rather than labels"
        )


@eqx.filter_jit
def _batched(network: Any, batch: Any) -> Any:
    return jax.vmap(network)(batch)
