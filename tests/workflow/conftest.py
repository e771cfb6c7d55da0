import pytest
from tests.workflow.study import MadeStudy, Study


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
