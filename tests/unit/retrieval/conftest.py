import pytest
from tests.catalogue_server import CatalogueServer
from tests.published_scenes import published_files

from spatial_prediction.retrieval.web import Patience


@pytest.fixture(autouse=True)
def _direct_connections(monkeypatch):
    """Local servers are reached directly, whatever proxies the machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def patience():
    """Waits too short to notice."""
    return Patience(attempts=4, first_wait=0.001, longest_wait=0.002, connect_timeout=2.0, read_timeout=5.0)


@pytest.fixture
def server():
    """A catalogue and its mirror; tests put ``files`` into it."""
    with CatalogueServer({}) as server:
        yield server


@pytest.fixture
def published(server):
    """The server with a small data set."""
    server.files = published_files()
    return server
