"""Settings of every test: strict dtypes, and golden data that may not be skipped where it must be there."""

import os
import signal

import jax
import pytest
from hypothesis import settings

from tests import type_checks  # noqa: F401  # jaxtyping, which is given its name, imports `tests` alone
from tests.helpers import shared_folder

jax.config.update("jax_numpy_dtype_promotion", "strict")

# How long an example takes depends on what else the machine does, and the first one compiles.
settings.register_profile("without_deadline", deadline=None)
settings.load_profile("without_deadline")

# A shell's job in the background ignores Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    config.addinivalue_line("markers", "golden: compares with reference data beside the checkout")


LONGEST = ("test_slurm.py", "test_configurations.py")
"""Files of tests that take minutes each."""


def pytest_collection_modifyitems(items):
    """Begin with the longest tests: at the end one process would be at them, and the others idle."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_runtest_setup(item):
    if not item.get_closest_marker("golden") or shared_folder("golden").exists():
        return
    reason = "reference data not present: no folder shared/golden beside the checkout"
    if os.environ.get("SPATIAL_PREDICTION_REQUIRE_GOLDEN"):
        pytest.fail(f"{reason}, yet it is required here")
    pytest.skip(reason)


@pytest.fixture(scope="module", autouse=True)
def programs_forgotten():
    """Forget the compiled programs of each module of tests: a process would keep gigabytes of them."""
    yield
    jax.clear_caches()


@pytest.fixture(scope="module")
def quick_compilation():
    """Compile with few optimisations: hundreds of small programs run once each take minutes otherwise."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
