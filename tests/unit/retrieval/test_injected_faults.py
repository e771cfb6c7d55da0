import pytest
from tests.injected_faults import KINDS, outcome


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_by(kind):
    happened, lost, message = outcome(KINDS[kind], seed=1)
    assert lost == []
    assert happened in ("went on", "stopped"), message
