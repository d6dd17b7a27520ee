"""`python -m service.health`, as a container asks it, against servers plain and encrypted, and against nobody."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service import health
from service.settings import Settings
from tests.service import artifacts
from tests.service.server import ROOT, environment, patiently, running
from tests.service.test_tls import issued_in

ENCRYPTED = {"plain": 0, "encrypted": 2, "for clients with certificates": 3}
"""How many of the settings certificate, private_key and client_ca are set."""


def asked(**settings: Any) -> "subprocess.CompletedProcess[str]":
    """The check, as the image runs it: without the packages that are installed."""
    command = [sys.executable, "-S", "-m", "service.health"]
    return subprocess.run(command, cwd=ROOT, env=environment(**settings), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("count", ENCRYPTED.values(), ids=ENCRYPTED)
def test_a_server_that_answers_is_healthy(count: int, tmp_path: Path) -> None:
    artifacts.toy(tmp_path)
    files = issued_in(tmp_path)
    settings = dict([*files.settings.items()][:count])
    verified = {"verify": files.authority, "cert": files.client} if count else None
    with running(tmp_path, tmp_path / "log", verified, workers=1, watch=0, models="toy", **settings) as server:
        for _ in patiently():  # it waits two seconds at most, for one that may be kept from running
            done = asked(port=server.port, **settings)
            if done.returncode == 0:
                break
        assert (done.returncode, done.stderr) == (0, "")
        assert bool(asked(port=server.port, **({} if count else files.settings)).returncode) is True


def test_one_that_is_not_there_is_not_and_the_check_says_why(deaf_port: int) -> None:
    done = asked(port=deaf_port)
    assert (done.returncode, done.stderr) == (1, "[Errno 111] Connection refused\n")


def test_settings_that_cannot_be_used_are_a_reason_too() -> None:
    done = asked(port="none")
    assert (done.returncode, done.stderr) == (1, "MANIFOLD_PORT='none': expected a whole number\n")


@pytest.mark.parametrize(("host", "family"), [("0.0.0.0", socket.AF_INET), ("[::1]", socket.AF_INET6)])
def test_it_asks_where_the_server_listens(host: str, family: socket.AddressFamily) -> None:
    local = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with socket.create_server((local, 0), family=family) as listener:
        listener.settimeout(health.SECONDS)
        with pytest.raises(TimeoutError):
            health.ask(Settings(host=host, port=listener.getsockname()[1]))
        listener.accept()[0].close()
