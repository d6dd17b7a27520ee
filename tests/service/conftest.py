"""What the service's tests share: tiny models in a store, and a whole service without a server."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import artifacts
from tests.service.site import Site


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of version 3 of the toy model; not to be changed."""
    return artifacts.toy(tmp_path_factory.mktemp("toy-store"), version=3)


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of version 1 of the shop model; not to be changed."""
    return artifacts.shop(tmp_path_factory.mktemp("shop-store"))


@pytest.fixture(scope="session")
def slow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of version 1 of the slow model; not to be changed."""
    return artifacts.slow(tmp_path_factory.mktemp("slow-store"))


@pytest.fixture
def site(toy_folder: Path) -> Site:
    """A whole service without a server, fresh for every test."""
    return Site(toy_folder)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where nobody listens, nor can anybody meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="module", params=["greenlet", "gthread"])
def worker(request: pytest.FixtureRequest) -> str:
    """The kind of HTTP worker."""
    return request.param


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the toy and the slow model."""
    root = tmp_path_factory.mktemp("store")
    artifacts.toy(root)
    artifacts.slow(root)
    return root
