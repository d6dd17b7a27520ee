"""What the tests of the images share: the engine, the images, and the table of what was seen."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import engine
from tests.image.engine import ROOT, Container, Image

TARGETS = "slim,full"
SEEN = pytest.StashKey[dict[tuple[str, str], str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", type=Path, default=Path("store"), help="models that the containers serve")
    parser.addoption("--port", type=int, default=8474, help="where they answer")
    parser.addoption("--targets", default=TARGETS, help="those of the Dockerfile, separated by commas")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", metafunc.config.getoption("--targets").split(","), scope="session")


@pytest.fixture(scope="session")
def docker() -> list[str]:
    return engine.client()


@pytest.fixture(scope="session")
def revision() -> str:
    """The commit that the images are built of."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


@pytest.fixture(scope="session")
def image(docker: list[str], target: str, revision: str) -> Image:
    return Image(docker, target).build(revision=revision)


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> Path:
    return request.config.getoption("--store")


@pytest.fixture(scope="session")
def port(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--port")


@pytest.fixture(scope="class")
def container(image: Image, port: int, store: Path) -> Iterator[Container]:
    """One that is ready, as an operator should run it."""
    with image.container(port, store, "--health-interval=1s") as made:
        made.ready()
        yield made


@pytest.fixture(scope="session")
def seen(request: pytest.FixtureRequest) -> dict[tuple[str, str], str]:
    """What was seen, by row and target; it is printed at the end."""
    return request.config.stash.setdefault(SEEN, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    told = config.stash.get(SEEN, {})
    targets = list(dict.fromkeys(target for _, target in told))
    table = {"image": targets} | {row: [told.get((row, target), "") for target in targets] for row, _ in told}
    for row, cells in table.items() if told else ():
        terminalreporter.write_line(f"{row:<40}" + "".join(f"{cell:>16}" for cell in cells))
