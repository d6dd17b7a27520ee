"""Where the server is."""

import os

import pytest


@pytest.fixture(scope="session")
def address() -> str:
    """host:port."""
    return os.environ["SERVER_ADDRESS"]
