import os

import pytest
from tests.workflow.study import MadeStudy, Study


@pytest.fixture(scope="session")
def compiled_programs(tmp_path_factory):
    """A folder in which the studies of a run of the tests, of all its processes, keep compiled programs."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled_programs"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A fresh copy, in which nothing has been made."""
    return Study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study all of whose files have been made."""
    made = MadeStudy(tmp_path_factory.mktemp("made"))
    made.make()
    return made
