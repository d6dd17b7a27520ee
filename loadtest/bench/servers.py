"""Servers that run: started all at once, asked until they answer, stopped with all their processes."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE, POLITE = 180.0, 10.0
"""Seconds for a start, and for an end before it is forced."""


@dataclass(frozen=True)
class Command:
    """What starts a server, and where it then answers; `ready` is a path that is 200 once it does, "" to try `path`."""

    arguments: Sequence[str]
    path: str
    ready: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass
class Server:
    """A server in a process group of its own."""

    name: str
    command: Command
    port: int
    log: Path
    process: "subprocess.Popen[bytes]"
    started: float
    seconds: float = 0.0
    """From its start until it answered."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, path: str | None = None) -> str:
        """The address of a path, or of the one that is measured."""
        return f"http://{HOST}:{self.port}{self.command.path if path is None else path}"

    def answers(self, body: bytes | None) -> bool:
        """Whether it does; SystemExit with its log if it has ended."""
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name} ended:\n{self.log.read_text(errors='replace')[-3000:]}")
        asked = urllib.request.Request(  # noqa: S310 - it is our own
            self.url(self.command.ready or None),
            None if self.command.ready else body,
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=5) as response:  # noqa: S310 - likewise
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def wait(self, body: bytes | None = None) -> None:
        """Until it answers; SystemExit if it does not in time."""
        while not self.answers(body):
            if time.monotonic() - self.started > PATIENCE:
                raise SystemExit(f"{self.name} does not answer; its log is {self.log}")
            time.sleep(0.02)
        self.seconds = time.monotonic() - self.started

    def stop(self) -> None:
        """SIGTERM to its processes, and SIGKILL to those that stay."""
        self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(POLITE)
        self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, how: int) -> None:
        """To the whole group, as far as it lives."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, how)


def start(name: str, command: Command, port: int, work: Path) -> Server:
    """Start a server, and do not wait; what it prints is in a log in `work`."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MANIFOLD_")}
    log = work / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            list(command.arguments),
            env=clean | dict(command.environment),
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Server(name, command, port, log, process, time.monotonic())


@contextmanager
def running(name: str, command: Command, port: int, work: Path) -> Iterator[Server]:
    """One server that answers, stopped at the end."""
    server = start(name, command, port, work)
    try:
        server.wait()
        yield server
    finally:
        server.stop()
