"""What several tests ask of arrays; apart from the helpers, which programs without JAX use too."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from spatial_prediction import native


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    """Compare arrays, or pytrees of them, relative to the largest value of each; and shapes and dtypes."""
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max(initial=1e-30))


def by_kernels_and_xla(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], *arguments: Any
) -> tuple[Any, Any]:
    """Return what a function gives with the compiled kernels, and by XLA."""
    found = jax.jit(function)(*arguments)
    monkeypatch.setenv(native.DISABLING_VARIABLE, "0")
    expected = jax.jit(lambda *arguments: function(*arguments))(*arguments)
    monkeypatch.delenv(native.DISABLING_VARIABLE)
    return found, expected
