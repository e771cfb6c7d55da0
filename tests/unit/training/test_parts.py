"""Gradients by parts of a batch are those of the batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction.training import mean_over_parts
from spatial_prediction.training._parts import part_size

PARAMETERS = {"scale": jnp.linspace(-1.0, 2.0, 5), "unused": jnp.ones(2)}


def squared_error(parameters, batch):
    return jnp.mean((jnp.sin(batch["x"] * parameters["scale"]) - batch["y"]) ** 2), None


def batch_of(examples):
    x = np.random.default_rng(0).normal(size=(examples, 3, 5)).astype(np.float32)
    return {"x": jnp.asarray(x), "y": jnp.asarray(x[:, :1])}


@pytest.mark.parametrize("examples", [1, 4, 7, 12])
def test_value_and_gradient_agree_to_rounding(examples):
    def both(loss):
        return jax.jit(jax.value_and_grad(loss, has_aux=True))(PARAMETERS, batch_of(examples))

    assert_close(both(mean_over_parts(squared_error, 4)), both(squared_error), 1e-6)


def test_a_multiple_of_the_loss_has_a_multiple_of_the_gradient():
    loss = mean_over_parts(squared_error, 4)
    found = jax.grad(lambda parameters: -3 * loss(parameters, batch_of(8))[0])(PARAMETERS)
    expected = jax.grad(lambda parameters: -3 * squared_error(parameters, batch_of(8))[0])(PARAMETERS)
    assert_close(found, expected, 1e-6)


def test_whole_numbers_may_be_a_batch():
    def loss(parameters, tiles):
        return jnp.mean((tiles.astype(jnp.float32) * parameters) ** 2), None

    tiles = jnp.arange(24, dtype=jnp.int16).reshape(8, 3)
    found, expected = (jax.grad(each, has_aux=True)(2.0, tiles) for each in (mean_over_parts(loss, 4), loss))
    assert_close(found, expected, 1e-6)


def test_parts_are_computed_one_after_the_other():
    def loss(parameters, batch):
        seen.append(batch["x"].shape[0])
        return squared_error(parameters, batch)

    seen = []
    jax.grad(mean_over_parts(loss, 4), has_aux=True)(PARAMETERS, batch_of(12))
    assert set(seen) == {4}


def test_a_loss_that_remembers_its_batch_is_refused():
    with pytest.raises(TypeError, match="remembers its batch"):
        mean_over_parts(lambda parameters, batch: (jnp.sum(batch["x"]), parameters), 4)(
            PARAMETERS, batch_of(8)
        )


def test_parts_have_equal_sizes_near_the_largest_or_are_the_batch():
    sizes = {examples: part_size(examples, 16) for examples in (1, 4, 16, 17, 24, 30, 64, 96, 100)}
    assert sizes == {1: 1, 4: 4, 16: 16, 17: 17, 24: 12, 30: 15, 64: 16, 96: 16, 100: 10}
