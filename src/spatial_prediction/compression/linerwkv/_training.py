"""The loss LineRWKV is trained with, and its optimiser."""

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]
from jaxtyping import Array, Float, Int

from spatial_prediction.compression.linerwkv._model import LineRWKV

GUARD = 1e-8
"""Added to standard deviations."""
LEARNING_RATE_FACTORS = {"time_decay": 2.0, "time_first": 3.0}
"""Multiples of the learning rate of parameters of these names; others take it as it is."""


def training_predictions(
    model: LineRWKV,
    patch: Float[Array, "lines columns bands"],
    columns: Int[Array, " chosen"] | None = None,
) -> Float[Array, "predicted chosen bands"]:
    """Predict lines 1 … lines - 1 of a patch in its own units, some columns of it.

    Each band is normalised by its mean and (unbiased) standard deviation over the whole patch, unlike in
    coding, where only what was decoded may be used.

    Args:
        model: the network.
        patch: samples, such as digital numbers / 1000.
        columns: columns to predict, all unless given; the line encoder sees every column.
    """
    mean = patch.mean((0, 1))
    deviation = patch.std((0, 1), ddof=1) + GUARD
    samples = (patch - mean) / deviation
    encoded = model.encode(samples)
    if columns is not None:
        samples, encoded = samples[:, columns], encoded[:, columns]
    return model.predict_encoded(samples, encoded) * deviation + mean


def training_loss(
    model: LineRWKV,
    patch: Float[Array, "lines columns bands"],
    columns: Int[Array, " chosen"] | None = None,
) -> Float[Array, ""]:
    """Return the mean absolute error of :func:`training_predictions`."""
    predicted = training_predictions(model, patch, columns)
    target = patch[1:] if columns is None else patch[1:, columns]
    return jnp.abs(predicted - target).mean()


def optimizer(learning_rate: optax.ScalarOrSchedule) -> optax.GradientTransformation:
    """Return AdamW as in the publication: no decay of weights, decay 0.99 of the second moment."""

    def factor(path: tuple[object, ...], update: Array) -> Array:
        name = jax.tree_util.keystr(path[-1:], simple=True)
        return update * LEARNING_RATE_FACTORS.get(name, 1.0)

    scaled = optax.stateless(lambda updates, _: jax.tree_util.tree_map_with_path(factor, updates))
    return optax.chain(optax.adamw(learning_rate, b1=0.9, b2=0.99, eps=1e-8, weight_decay=0.0), scaled)
