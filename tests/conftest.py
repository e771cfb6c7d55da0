"""Settings of every test: strict dtypes, and golden data that may not be skipped where it must be there."""

import jax
import pytest

from tests.helpers import shared_folder

jax.config.update("jax_numpy_dtype_promotion", "strict")


def pytest_configure(config):
    config.addinivalue_line("markers", "golden: compares with reference data beside the checkout")


def pytest_runtest_setup(item):
    if item.get_closest_marker("golden") and not shared_folder("golden").exists():
        pytest.skip("reference data not present: no folder shared/golden beside the checkout")
