import jax
import jax.numpy as jnp
import lineax as lx
import numpy as np
import pytest

from spatial_prediction.padding.linear_prediction.normal_equations import (
    guarded_quotient,
    solve_normal_equations,
    solve_two_by_two,
)

RIDGE = 0.01


pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def systems(unknowns, columns=2, batch=3):
    """Matrices of condition number about 10, batch first, and right-hand sides."""
    rng = np.random.default_rng(unknowns)
    factors = rng.normal(size=(batch, unknowns, 3 * unknowns + 1)) / np.sqrt(unknowns)
    return factors @ factors.swapaxes(1, 2), rng.normal(size=(batch, unknowns, columns))


def with_batch_last(*arrays):
    return [jnp.asarray(np.moveaxis(array, 0, -1)) for array in arrays]


@jax.jit
def solve(gram, right_hand_side):
    return solve_normal_equations(gram, right_hand_side, ridge=RIDGE)


@pytest.mark.parametrize("unknowns", [*range(1, 10), 42])
def test_solutions_are_those_of_numpy_and_lineax(unknowns):
    gram, right_hand_side = systems(unknowns)
    matrices = gram + RIDGE * np.eye(unknowns)
    solution = np.moveaxis(np.asarray(solve(*with_batch_last(gram, right_hand_side))), -1, 0)
    np.testing.assert_allclose(solution, np.linalg.solve(matrices, right_hand_side), rtol=1e-10, atol=1e-10)

    operator = lx.MatrixLinearOperator(jnp.asarray(matrices[0]), lx.positive_semidefinite_tag)
    for column in range(2):
        by_lineax = lx.linear_solve(operator, jnp.asarray(right_hand_side[0, :, column]), lx.Cholesky()).value
        np.testing.assert_allclose(solution[0, :, column], by_lineax, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("unknowns", [3, 8])  # unrolled, and in a loop
def test_derivatives_are_those_of_the_solution_and_of_differences(unknowns):
    gram, right_hand_side = systems(unknowns)
    rng = np.random.default_rng(0)
    change = rng.normal(size=gram.shape)
    change = change + change.swapaxes(1, 2)
    changes = with_batch_last(change, rng.normal(size=right_hand_side.shape))
    inputs = with_batch_last(gram, right_hand_side)

    solution = np.asarray(jax.jit(solve)(*inputs))
    matrices = [matrix + RIDGE * np.eye(unknowns) for matrix in gram]
    tangents = [
        np.linalg.solve(matrices[k], changes[1][..., k] - change[k] @ solution[..., k]) for k in range(3)
    ]

    weights = jnp.asarray(rng.normal(size=solution.shape))
    loss = jax.jit(lambda *inputs: jnp.sum(weights * solve(*inputs)))
    gradient = jax.jit(jax.grad(loss, (0, 1)))(*inputs)
    cotangent = sum(jnp.sum(g * change) for g, change in zip(gradient, changes, strict=True))
    np.testing.assert_allclose(cotangent, np.sum(weights * np.stack(tangents, axis=-1)), rtol=1e-9)
    step = 1e-6
    ahead, behind = (
        [a + sign * step * da for a, da in zip(inputs, changes, strict=True)] for sign in (1, -1)
    )
    # Cancellation leaves eps / step of the loss, 1e-10, and truncation step^2.
    np.testing.assert_allclose(cotangent, (loss(*ahead) - loss(*behind)) / (2 * step), rtol=1e-7)


@pytest.mark.parametrize("unknowns", [3, 8])
@pytest.mark.parametrize("entry", [-1.0, np.nan, np.inf])
def test_a_matrix_that_is_not_positive_definite_gives_zero_without_gradient(unknowns, entry):
    gram, right_hand_side = systems(unknowns)
    gram[1, unknowns - 1, unknowns - 1] = entry
    inputs = with_batch_last(gram, right_hand_side)
    solution = solve(*inputs)
    gradients = jax.jit(jax.grad(lambda *inputs: jnp.sum(solve(*inputs)), (0, 1)))(*inputs)
    for array in (solution, *gradients):
        assert not array[..., 1].any()
        assert np.isfinite(array).all()
        assert array[..., 0].all()  # its neighbours in the batch are solved
        assert array[..., 2].all()


def test_the_ridge_makes_a_singular_matrix_definite():
    ones = jnp.ones((2, 2, 1))
    np.testing.assert_allclose(solve(ones, ones[:, :1])[..., 0], np.full((2, 1), 1 / (2 + RIDGE)), rtol=1e-12)
    assert not solve_normal_equations(ones, ones[:, :1], ridge=0.0).any()


def test_cramers_rule_agrees_with_numpy_and_gives_zero_for_a_singular_matrix():
    gram, right_hand_side = systems(2)
    expected = np.linalg.solve(gram, right_hand_side)
    gram[1] = [[1, 2], [2, 4]]
    solution = np.moveaxis(np.asarray(solve_two_by_two(*with_batch_last(gram, right_hand_side))), -1, 0)
    np.testing.assert_allclose(solution[::2], expected[::2], rtol=1e-12)
    assert not solution[1].any()


def quotient_and_gradient(numerator, denominator):
    arguments = (jnp.float32(numerator), jnp.float32(denominator))
    return [
        float(value) for value in jax.tree.leaves(jax.value_and_grad(guarded_quotient, (0, 1))(*arguments))
    ]


def test_a_finite_quotient_is_divided_as_usual():
    assert quotient_and_gradient(3.0, -4.0) == [-0.75, -0.25, -3 / 16]
    assert quotient_and_gradient(0.0, 2.0) == [0.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [(0.0, 0.0), (1.0, 0.0), (-1.0, -0.0), (1e30, 1e-30), (np.inf, 2.0), (1.0, np.nan), (np.inf, np.inf)],
)
def test_a_quotient_that_is_not_finite_becomes_zero_without_gradient(numerator, denominator):
    assert quotient_and_gradient(numerator, denominator) == [0.0, 0.0, 0.0]


def test_a_quotient_of_tiny_numbers_keeps_its_gradient():
    # 1e-25 squared is not a float32.
    np.testing.assert_allclose(quotient_and_gradient(2e-25, 1e-25), [2, 1e25, -2e25], rtol=1e-6)


def test_second_derivatives_of_a_guarded_quotient_are_those_of_the_quotient():
    with jax.enable_x64(True):
        at = jnp.asarray(2.0), jnp.asarray(3.0)
        found = jax.hessian(lambda n, d: guarded_quotient(n, d) ** 2, (0, 1))(*at)
        expected = jax.hessian(lambda n, d: (n / d) ** 2, (0, 1))(*at)
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-12)
