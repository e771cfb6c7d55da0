"""Functions whose derivatives of all orders are a few functions again."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.differentiation import bilinear, quadratic

SIZE = 4
TENSOR = np.random.default_rng(0).normal(size=(3, SIZE, SIZE))


def product(x, y):
    return {"sums": jnp.einsum("kij,i,j->k", TENSOR, x["map"], y), "scaled": x["map"] * y[0]}


def squares(x):
    return jnp.einsum("kij,i,j->k", TENSOR + TENSOR.swapaxes(1, 2), x, x)


def only_bilinear(x, y):
    return bilinear(product, lambda x, y, weights: jax.vjp(product, x, y)[1](weights))(x, y)


only_quadratic = quadratic(
    squares,
    lambda x, weights: jax.vjp(squares, x)[1](weights)[0],
    lambda x, change: jax.jvp(squares, (x,), (change,))[1],
)


def of_pair(function):
    def scalar(x):
        found = function({"map": x[:SIZE]}, jnp.sin(x[SIZE:]))
        return jnp.sum(jnp.cos(found["sums"])) + jnp.sum(found["scaled"] ** 3)

    return scalar


def of_one(function):
    return lambda x: jnp.sum(jnp.cos(function(x[:SIZE] * jnp.exp(x[SIZE:]))))


@pytest.mark.parametrize(
    "scalars",
    [(of_pair(only_bilinear), of_pair(product)), (of_one(only_quadratic), of_one(squares))],
    ids=["bilinear", "quadratic"],
)
@pytest.mark.parametrize(
    "derivative",
    [
        jax.grad,
        jax.jacfwd,
        jax.hessian,
        lambda f: jax.jacrev(jax.jacrev(f)),
        lambda f: jax.jacrev(jax.jacfwd(f)),
        lambda f: jax.jacfwd(jax.hessian(f)),
        lambda f: jax.jacrev(jax.jacrev(jax.jacrev(f))),
        lambda f: jax.vmap(jax.hessian(f), in_axes=1, out_axes=2),
    ],
    ids=["grad", "jacfwd", "hessian", "reverse twice", "reverse over forward", "third", "reverse", "mapped"],
)
def test_derivatives_of_all_orders_are_those_of_jax(derivative, scalars, request):
    mapped = request.node.callspec.id.startswith("mapped")
    with jax.enable_x64(True):
        x = jnp.asarray(np.random.default_rng(1).normal(size=(2 * SIZE, 3) if mapped else 2 * SIZE))
        own, by_jax = (jax.jit(derivative(scalar))(x) for scalar in scalars)
        np.testing.assert_allclose(own, by_jax, rtol=1e-9, atol=1e-9)
