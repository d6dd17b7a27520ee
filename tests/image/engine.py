"""A Docker engine, the images it builds of this project, and containers that run as an operator should run them."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from loadtest.ask import wait_until_ready
from service.settings import PREFIX
from service.sockets import check_free

ROOT = Path(__file__).parents[2]
STARTS = ROOT.parent / "shared" / "docker" / "engine.sh"
"""Starts an engine where none runs, if it lies beside the project."""
HOST = "127.0.0.1"
LEAST = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
"""What a container may do: no more than it needs."""
PATIENCE = 60
"""Seconds until a container is healthy, or not; for an answer, and for its end."""


def client() -> list[str]:
    """The command that speaks to an engine; a failure where there is none."""
    if STARTS.exists():
        subprocess.run([STARTS, "start"], check=True)
        return [str(STARTS), "docker"]
    runs = subprocess.run(["docker", "version"], capture_output=True, check=False)
    if runs.returncode:
        pytest.exit(f"no Docker engine runs here: {runs.stderr.decode().strip()}", returncode=1)
    return ["docker"]


@dataclass(frozen=True)
class Image:
    """A target of the Dockerfile, built."""

    docker: Sequence[str]
    target: str

    @property
    def name(self) -> str:
        return f"manifold:{self.target}-test"

    def build(self, **arguments: str) -> "Image":
        """Build it; the engine prints why, if it cannot."""
        given = [f"--build-arg={name.upper()}={value}" for name, value in arguments.items()]
        self.run("build", "-q", "--network=host", f"--target={self.target}", *given, f"--tag={self.name}", str(ROOT))
        return self

    def run(self, *command: str) -> str:
        """What a command of the engine's client prints."""
        environment = os.environ | {"DOCKER_BUILDKIT": "1"}
        return subprocess.run(
            [*self.docker, *command], env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()

    @cached_property
    def described(self) -> dict[str, Any]:
        """What the engine knows of it."""
        return json.loads(self.run("image", "inspect", self.name))[0]

    def python(self, code: str) -> Any:
        """What a line of Python in it evaluates to, as JSON."""
        return json.loads(self.run("run", "--rm", "--entrypoint=python", self.name, "-c", f"import json; {code}"))

    @contextmanager
    def container(
        self, port: int, store: Path, *options: str, command: Sequence[str] = (), **settings: Any
    ) -> Iterator["Container"]:
        """One that runs; gone afterwards. The host's network, on its own address only, for engines without a bridge."""
        check_free(HOST, port, "PORT")  # or somebody else would be asked
        given = settings | {"host": HOST, "port": port}
        variables = [f"--env={PREFIX}{name.upper()}={value}" for name, value in given.items()]
        began = time.monotonic()
        mounted = ["--network=host", f"--volume={store.resolve()}:/store:ro"]
        number = self.run("run", "--detach", *LEAST, *mounted, *variables, *options, self.name, *command)
        try:
            yield Container(self, number, f"http://{HOST}:{port}", began)
        finally:
            self.run("rm", "--force", "--volumes", number)


@dataclass(frozen=True)
class Container:
    """A container that was started at `began`."""

    image: Image
    number: str
    url: str
    began: float

    @property
    def state(self) -> Mapping[str, Any]:
        return json.loads(self.image.run("inspect", "--format={{json .State}}", self.number))

    def ready(self) -> float:
        """Wait until it is; seconds since its start. Its log, if it is not."""
        try:
            wait_until_ready(self.url)
        except SystemExit as error:
            raise AssertionError(f"{error}\n{self.log()}") from None
        return time.monotonic() - self.began

    def health(self, awaited: str) -> str:
        """What the health check says, once it says this, or has had the time to."""
        until = time.monotonic() + PATIENCE
        while (said := self.state["Health"]["Status"]) != awaited and time.monotonic() < until:
            time.sleep(0.2)
        return said

    def run(self, *command: str) -> str:
        """What a command prints in it."""
        return self.image.run("exec", self.number, *command)

    def log(self) -> str:
        """Everything it printed."""
        done = subprocess.run(
            [*self.image.docker, "logs", self.number], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
        )
        return done.stdout.decode()

    def stop(self) -> int:
        """As `docker stop`: SIGTERM to process 1, and SIGKILL if it stays; its exit status."""
        self.image.run("stop", f"--time={PATIENCE}", self.number)
        return self.state["ExitCode"]
