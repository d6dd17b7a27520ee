"""Clients nobody here wrote, over a real socket: they work unchanged, or their users could not switch."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from service.access.keys import Scope
from tests.clients import FIRST, SECOND
from tests.service import artifacts
from tests.service.keys import granted
from tests.service.server import ROOT, SECONDS, Server, running

CLIENTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "clients").glob("test_*.py"))
PYTHON = ROOT / ".venv-clients" / "bin" / "python"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker that serves models that add, read words, double halves and repeat strings."""
    store = tmp_path_factory.mktemp("store")
    for write in (artifacts.simple, artifacts.toy, artifacts.half, artifacts.echo):
        write(store)
    with running(store, tmp_path_factory.mktemp("logs") / "log", workers=1, engine="onnx") as server:
        yield server


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker that serves the model that adds, as long as nobody says otherwise."""
    store = tmp_path_factory.mktemp("store")
    artifacts.simple(store)
    folder = tmp_path_factory.mktemp("logs")
    key = granted(folder / "keys.json", "ops", *Scope)
    with running(store, folder / "log", workers=1, engine="onnx", keys=folder / "keys.json") as server:
        server.headers = {"Authorization": f"Bearer {key}"}
        yield server


@pytest.mark.skipif(not PYTHON.exists(), reason="others' clients are not installed: make test does it")
@pytest.mark.parametrize("tests", CLIENTS)
def test_others_clients_work_unchanged(server: Server, admin: Server, tests):
    more = {
        "SERVER_ADDRESS": f"127.0.0.1:{server.port}",
        "ADMIN_ADDRESS": f"127.0.0.1:{admin.port}",
        "ADMIN_AUTHORIZATION": admin.headers["Authorization"],
    }
    done = subprocess.run(
        [str(PYTHON), "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider", tests],
        cwd=ROOT,
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


class TestRequests:
    """requests: JSON by hand, as a first try with any language goes."""

    def test_json_goes_in_and_comes_out(self, server: Server):
        inputs = [
            {"name": name, "datatype": "INT32", "shape": [2, 16], "data": array.tolist()}
            for name, array in (("INPUT0", FIRST), ("INPUT1", SECOND))
        ]
        answer = server.post("/v2/models/simple/infer", {"inputs": inputs}).json()
        assert answer["outputs"][0]["data"] == (FIRST + SECOND).ravel().tolist()

    def test_bytes_alone_are_refused_of_two_inputs(self, server: Server):
        headers = {"Inference-Header-Content-Length": "0"}
        response = server.post("/v2/models/simple/infer", data=b"\0" * 64, headers=headers)
        assert response.status_code == 400
        assert "INPUT0, INPUT1" in response.json()["error"]

    def test_half_precision_needs_no_bytes(self, server: Server):
        inputs = [{"name": "x", "datatype": "FP16", "shape": [1, 3], "data": [0.5, -1, 1e4]}]
        [output] = server.post("/v2/models/half/infer", {"inputs": inputs}).json()["outputs"]
        assert (output["datatype"], output["data"]) == ("FP16", [1, -2, 2e4])
        assert server.post("/predict/half", {"x": [0.5, -1, 1e4]}).json() == {"y": [1, -2, 2e4]}

    def test_strings_are_the_same_text_in_every_dialect(self, server: Server):
        inputs = [{"name": "x", "datatype": "BYTES", "shape": [1, 2], "data": ["Zoë", ""]}]
        assert server.post("/v2/models/echo/infer", {"inputs": inputs}).json()["outputs"][0]["data"] == ["Zoë", ""]
        tfs = server.post("/v1/models/echo:predict", {"instances": [[{"b64": "Wm/Dqw=="}, ""]]}).json()
        assert tfs == {"predictions": [["Zoë", ""]]}
        assert server.post("/predict/echo", {"x": ["Zoë", ""]}).json() == {"y": ["Zoë", ""]}
