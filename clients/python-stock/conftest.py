"""What several tests share."""

import pytest
import vectors
from running import Server


@pytest.fixture(scope="session")
def vectors_server():
    """A server of the vectors' dataset."""
    with Server(vectors.DATASET) as server:
        yield server
        assert server.stop() == 0, "a drained server ends well"
