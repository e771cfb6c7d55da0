"""LineRWKV trained for the study, on random patches of some cubes."""

import logging
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax  # type: ignore[import-untyped]
from jaxtyping import Array, Float, Integer

from spatial_prediction.compression.linerwkv import SIZES, LineRWKV, optimizer, training_loss
from spatial_prediction.errors import SceneError
from spatial_prediction.studies.compression.config import NetworkSettings
from spatial_prediction.studies.compression.cubes.cube import Cube

logger = logging.getLogger(__name__)

UNIT = 1000.0
"""DN that are 1 in training, as in the publication."""

FINAL_SHARE = 0.1
"""Of the first learning rate, at the end."""


def train_network(cubes: Sequence[Cube], settings: NetworkSettings) -> LineRWKV:
    """Train a network on random patches of some cubes, from random weights.

    Raises:
        SceneError: a cube is smaller than two lines and one column.
    """
    key = jax.random.key(settings.seed)
    model = LineRWKV.initialised(SIZES[settings.size], key=key)
    schedule = optax.cosine_decay_schedule(settings.learning_rate, settings.steps, alpha=FINAL_SHARE)
    update = optimizer(schedule)
    state = update.init(model)

    @jax.jit
    def step(
        model: LineRWKV, state: optax.OptState, patches: Float[Array, "batch lines columns bands"]
    ) -> tuple[LineRWKV, optax.OptState, Float[Array, ""]]:
        def loss_of(model: LineRWKV) -> Float[Array, ""]:
            return jax.vmap(lambda patch: training_loss(model, patch))(patches).mean()

        loss, gradient = jax.value_and_grad(loss_of)(model)
        updates, state = update.update(gradient, state, model)
        return optax.apply_updates(model, updates), state, loss

    losses = []
    for number, patches in zip(range(settings.steps), batches(cubes, settings), strict=False):
        model, state, loss = step(model, state, jnp.asarray(patches))
        losses.append(loss)
        if (number + 1) % max(settings.steps // 5, 1) == 0:
            recent = float(jnp.stack(losses).mean())
            logger.info(
                "step %d of %d: mean absolute error %.2f DN", number + 1, settings.steps, UNIT * recent
            )
            losses = []
    return model


def batches(
    cubes: Sequence[Cube], settings: NetworkSettings
) -> Iterator[Float[np.ndarray, "batch lines columns bands"]]:
    """Draw patches without end, each anywhere in any cube, in units of 1000 DN.

    All are of one size: that of the settings, or of the smallest cube where that is less.

    Raises:
        SceneError: a cube has fewer than two lines.
    """
    shapes = np.array([cube.samples.shape for cube in cubes])
    size = np.minimum(shapes.min(0), (settings.lines, settings.columns, settings.bands))
    if size[0] < 2:
        raise SceneError(
            f"{cubes[int(np.argmin(shapes[:, 0]))].source}: has one line; two or more are needed to train on"
        )
    rng = np.random.default_rng(settings.seed)
    while True:
        yield np.stack([_patch(rng, cubes, size) for _ in range(settings.batch_size)])


def _patch(
    rng: np.random.Generator, cubes: Sequence[Cube], size: Integer[np.ndarray, " 3"]
) -> Float[np.ndarray, "lines columns bands"]:
    samples = cubes[int(rng.integers(len(cubes)))].samples
    first = rng.integers(0, samples.shape - size + 1)
    window = tuple(slice(begin, begin + length) for begin, length in zip(first, size, strict=True))
    return samples[window].astype(np.float32) / np.float32(UNIT)
