"""What several tests share."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

REPOSITORY = Path(__file__).parents[1]


def shared_folder(name: str) -> Path:
    """Folder of reference data that lies beside the checkout; absent in an outsider's clone."""
    return REPOSITORY.parent / "shared" / name


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    """Compare arrays, or pytrees of them, relative to the largest value of each; and their dtypes."""
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max(initial=1e-30))
