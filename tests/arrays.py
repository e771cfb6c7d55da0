"""What several tests ask of arrays; apart from the helpers, which programs without JAX use too."""

from typing import Any

import jax
import numpy as np


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    """Compare arrays, or pytrees of them, relative to the largest value of each; and shapes and dtypes."""
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max(initial=1e-30))
