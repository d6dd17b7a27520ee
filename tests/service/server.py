"""Real servers for the tests: `python -m service serve` on a port of its own, stopped by its process id."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
SECONDS = 180
"""How long anything that must happen may take, before a test fails: a machine that others use, too, may be slow."""
PORTS = range(10_000, 32_000)
"""Linux gives none of them to whoever asks for any, as a client does: one that is free now is so in a while."""


def environment(**settings: Any) -> dict[str, str]:
    """This process's environment with these MANIFOLD_* settings and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MANIFOLD_")}
    return clean | {f"MANIFOLD_{name.upper()}": str(value) for name, value in settings.items()}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "service", *arguments]


def said(code: str) -> list[str]:
    """The words that a fresh interpreter prints of this code."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def free_port() -> int:
    """One that nobody has; another process of the tests would draw the same by chance alone."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Server:
    """A running server; everything it printed is in `log`. `verified` is what requests needs for one with TLS.

    It refuses nobody for what the last batches took, unless the settings say so: here they may take any time.
    """

    def __init__(self, store: Path, log: Path, verified: Mapping[str, Any] | None = None, **settings: Any) -> None:
        self.port = free_port()
        self.verified = verified or {}
        self.log = log
        self.headers: dict[str, str] = {}  # of every request
        self.address = ("127.0.0.1", self.port)
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command("serve", "--store", str(store), "--port", str(self.port)),
                cwd=ROOT,
                env=environment(**{"max_wait": SECONDS} | settings),
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def url(self, path: str) -> str:
        return f"{'https' if self.verified else 'http'}://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url(path), timeout=SECONDS, headers=self.headers, **self.verified)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        headers = self.headers | more.pop("headers", {})
        return requests.post(self.url(path), json=body, timeout=SECONDS, headers=headers, **self.verified, **more)

    def ready(self) -> requests.Response | None:
        """/readyz, or None before anyone listens."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/readyz")
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):  # or who answered was killed
            return None

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Until the server has printed so, and so often."""
        for _ in patiently():
            if self.log.read_text().count(text) >= times:
                return
        raise AssertionError(self.log.read_text())

    def wait_until_loaded(self) -> requests.Response:
        """/readyz once no model is still loading."""
        for _ in patiently():
            answer = self.ready()
            if answer is not None and not {"START", "LOADING"} & set(answer.json()["unready"].values()):
                return answer
        raise AssertionError(self.log.read_text())

    def wait_for_metrics(self, *lines: str) -> None:
        """Until it tells all these: some are told a while after what can be seen otherwise."""
        text = ""
        for _ in patiently():
            text = self.get("/metrics").text
            if set(lines) <= set(text.splitlines()):
                return
        raise AssertionError(text)

    def workers(self) -> list[int]:
        """The process ids of the HTTP workers."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=SECONDS)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Signal the server and wait for its end; its exit status."""
        self.process.send_signal(how)
        return self.process.wait(SECONDS)


@contextlib.contextmanager
def running(store: Path, log: Path, verified: Mapping[str, Any] | None = None, **settings: Any) -> Iterator[Server]:
    """A server whose models have all loaded or failed; gone afterwards, whatever happens."""
    server = Server(store, log, verified, **settings)
    try:
        server.wait_until_loaded()
        yield server
    finally:
        try:
            if server.process.poll() is None:
                server.stop()
        finally:
            server.process.kill()
            server.process.wait()


def patiently() -> Iterator[None]:
    """Look again and again, for SECONDS at most."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        yield
        time.sleep(0.05)


def read_terminal(master: int) -> str:
    """What was shown on a pseudo-terminal that nobody else has any more; it comes in pieces."""
    told = b""
    with contextlib.suppress(OSError):  # so Linux tells the end
        while more := os.read(master, 65536):
            told += more
    os.close(master)
    return told.decode()


def request_bytes(path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A POST as it goes over the wire, perhaps with a wrong Content-Length."""
    lines = [f"POST {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def read_reply(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of one reply with a Content-Length; (0, what came) if the connection was closed before."""
    received = b""
    while True:
        head, found, body = received.partition(b"\r\n\r\n")
        if found and head.startswith(b"HTTP/1.1 100"):
            received = body
            continue
        if found:
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            if length and len(body) >= int(length[1]):
                return int(head.split()[1]), body
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return (int(head.split()[1]), body) if found else (0, received)
        received += more
