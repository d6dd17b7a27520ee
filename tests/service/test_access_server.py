"""API keys under gunicorn: every worker follows their file, and no request is lost."""

from collections.abc import Callable
from pathlib import Path

import requests

from service import security
from service.access.keys import Scope
from tests.service import artifacts
from tests.service.keys import entry, granted, put
from tests.service.server import SECONDS, Server, patiently, running

ROW = {"text": "cat", "numbers": [1, 2, 3]}


def status(server: Server, key: str) -> int:
    """Of a request on a connection of its own, which either worker may get."""
    headers = {"Authorization": f"Bearer {key}", "Connection": "close"}
    return requests.post(server.url("/predict/toy"), json=ROW, headers=headers, timeout=SECONDS).status_code


def says_what_browsers_must_not_do(server: Server) -> None:
    """Also where the app was never asked."""
    with server.connect() as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        refused = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert refused.startswith("HTTP/1.1 400")
    for name, value in security.DATA:
        assert f"{name}: {value}\r\n" in refused
        assert server.get("/healthz").headers[name] == value
    assert "Server" not in server.get("/healthz").headers


def stays(server: Server) -> int:
    """How many workers have kept their keys, for those that came were wrong."""
    return server.log.read_text().count("the keys stay as they were: entry 0: name")


def until_followed(server: Server, ask: Callable[[], object], file: Path, keys: int, times: int) -> None:
    """Ask until so many workers have read so many keys."""
    for _ in patiently():
        ask()
        if server.log.read_text().count(f"{file}: {keys} key") == times:
            return
    raise AssertionError(server.log.read_text())


def test_keys_change_without_a_restart_in_every_worker(tmp_path: Path):
    artifacts.toy(tmp_path / "store")
    file = tmp_path / "keys.json"
    old = granted(file, "shop", Scope.PREDICT)
    with running(tmp_path / "store", tmp_path / "log", workers=2, engine="onnx", keys=file) as server:
        says_what_browsers_must_not_do(server)
        workers = server.workers()
        assert status(server, old) == 200
        new = granted(file, "shop", Scope.PREDICT)
        until_followed(server, lambda: status(server, old), file, 2, 2)
        assert {status(server, key) for key in [old, new] * 8} == {200}
        put(file, [{}])
        for _ in patiently():
            assert {status(server, key) for key in [old, new]} == {200}
            if stays(server) == 2:
                break
        assert stays(server) == 2
        put(file, [entry(new, "shop", Scope.PREDICT)])
        until_followed(server, lambda: status(server, new), file, 1, 4)
        assert {status(server, old) for _ in range(16)} == {401}
        assert {status(server, new) for _ in range(16)} == {200}
        assert server.workers() == workers
        log = server.log.read_text()
        assert old not in log
        assert new not in log
