"""Float64 within, whatever ``jax_enable_x64`` says: the caller's setting is never changed.

Marginal likelihoods are sums of thousands of terms that nearly cancel, of matrices whose condition numbers
exceed what float32 resolves. What a function here returns is NumPy, because JAX would truncate a float64
array of its own as soon as a caller without ``jax_enable_x64`` computed with it.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

AnyArray = jax.Array | np.ndarray
"""An array of JAX, traced or not, or of NumPy."""


def in_double_precision(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function compute in float64 and return NumPy arrays; what is traced stays traced.

    A caller who differentiates through it gets float64 gradients where ``jax_enable_x64`` is on; otherwise
    JAX rounds them to float32 on the way out.
    """

    @functools.wraps(function)
    def computed(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with jax.enable_x64(True):
            return as_numpy(function(*args, **kwargs))

    return computed


def with_optax(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let Optax mix its 32-bit counters with float64, whatever a caller's setting of promotion is.

    With strict promotion its Adam raises an error, and its L-BFGS too while ``jax_enable_x64`` is on.
    """

    @functools.wraps(function)
    def computed(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with jax.numpy_dtype_promotion("standard"):
            return function(*args, **kwargs)

    return computed


def as_numpy(tree: Any) -> Any:
    """Convert all arrays of JAX in a pytree, unless they are traced."""

    def converted(leaf: Any) -> Any:
        concrete = isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer)
        return np.asarray(leaf) if concrete else leaf

    return jax.tree.map(converted, tree)


def real(value: Any) -> Any:
    """Convert to float64: a NumPy array, or a traced array where the value is traced."""
    if isinstance(value, jax.core.Tracer):
        with jax.enable_x64(True):
            return value.astype(jnp.float64)
    return np.asarray(value, np.float64)
