"""Where the server is."""

import os

import pytest


@pytest.fixture(scope="session")
def address() -> str:
    """host:port."""
    return os.environ["SERVER_ADDRESS"]


@pytest.fixture(scope="session")
def admin_address() -> str:
    """host:port of a server of `simple` where models may be loaded and unloaded."""
    return os.environ["ADMIN_ADDRESS"]


@pytest.fixture(scope="session")
def authorized() -> dict[str, str]:
    """What that server wants to see."""
    return {"Authorization": os.environ["ADMIN_AUTHORIZATION"]}
