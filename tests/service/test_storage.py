"""A store in S3, as moto has it, over real sockets: the commands, and a server from its start to its end."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

from tests.service import artifacts
from tests.service.remotes import content, manifest
from tests.service.server import ROOT, SECONDS, Server, command, environment, patiently, running

ROW = {"text": "The cat sat.", "numbers": [0.5, -1.0, 2.0]}
URL = "s3://bucket/models"


class S3:
    """A server of S3 on a port of its own, with one bucket."""

    def __init__(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.endpoint = "http://{}:{}".format(*self.server.get_host_and_port())
        requests.post(f"{self.endpoint}/moto-api/reset", timeout=SECONDS).raise_for_status()
        self.put("", b"")

    def put(self, name: str, content: bytes) -> None:
        requests.put(f"{self.endpoint}/bucket/{name}".rstrip("/"), content, timeout=SECONDS).raise_for_status()


@pytest.fixture
def s3() -> Iterator[S3]:
    with pytest.MonkeyPatch.context() as patch:
        s3 = S3()
        secrets = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "secret-of-somebody"}
        for name, value in (secrets | {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": s3.endpoint}).items():
            patch.setenv(name, value)
        yield s3
        s3.server.stop()


@pytest.fixture
def gcs(tmp_path: Path) -> Iterator[None]:
    """A server of GCS's XML API, which is that of S3 in lists, reads and writes: moto's, which lets all in."""
    moto = DomainDispatcherApplication(create_backend_app)

    def app(environment, start):
        scope = "somebody/20260101/us-east-1/s3/aws4_request"
        environment["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        return moto(environment, start)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.port}"
    requests.post(f"{base}/moto-api/reset", timeout=SECONDS)
    requests.put(f"{base}/bucket", timeout=SECONDS).raise_for_status()
    account = {"gcs_base_url": base, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    (tmp_path / "account.json").write_text(json.dumps(account))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "account.json"))
        yield
    server.shutdown()
    server.server_close()


def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=ROOT, env=environment(**settings), capture_output=True, text=True, check=False
    )


def push(root: Path, version: int) -> subprocess.CompletedProcess[str]:
    return run("push", str(artifacts.toy(root, version=version)), URL)


def pullers(server: Server) -> list[int]:
    """The children of a server that pull."""
    return [pid for pid in server.workers() if b"pull" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]


def counted(process: int) -> Path:
    """Where it writes what it counts."""
    variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    [folder] = [one.partition(b"=")[2] for one in variables if one.startswith(b"PROMETHEUS_MULTIPROC_DIR=")]
    return Path(os.fsdecode(folder))


def versions(server: Server) -> dict[int, str]:
    """The state of every version of the toy, or why it was refused."""
    [model] = server.get("/models").json()
    return {one["version"]: one.get("reason", one["state"]) for one in model["versions"]}


def wait_for(server: Server, version: int, state: str) -> None:
    for _ in patiently():
        if state in versions(server).get(version, ""):
            return
    raise AssertionError(server.log.read_text())


def test_a_server_of_a_bucket_from_its_start_to_its_end(s3: S3, tmp_path: Path):
    store, cache, log = tmp_path / "store", tmp_path / "cache", tmp_path / "log"
    assert push(store, 1).returncode == 0
    # Without the console, nobody but the test reads the metrics: what dead ones counted is added up while none does.
    settings = {"workers": 1, "store_poll": 0.3, "watch": 0.2, "cache": cache, "console": "off"}
    with running(URL, log, **settings) as server:
        assert server.post("/predict/toy", ROW).headers["X-Model-Version"] == "1"

        assert push(store, 2).returncode == 0
        wait_for(server, 2, "AVAILABLE")

        files = content("toy", 3)
        for name, text in (files | {"manifest.json": manifest("toy", 3, files)}).items():
            s3.put(f"models/toy/3/{name}", text[::-1] if name == "saved_model.pb" else text)
        wait_for(server, 3, "saved_model.pb has another SHA-256 than the manifest says")
        assert server.post("/predict/toy", ROW).headers["X-Model-Version"] == "2"

        [puller] = pullers(server)
        folder = counted(puller)
        os.kill(puller, signal.SIGKILL)
        assert push(store, 4).returncode == 0
        wait_for(server, 4, "AVAILABLE")
        for _ in patiently():
            if not [*folder.glob(f"*_{puller}.db")]:
                break
        assert not [*folder.glob(f"*_{puller}.db")]  # what it counted is in the file of all that are dead
        server.wait_for_metrics(
            f'manifold_storage_up{{store="{URL}"}} 1.0',
            "manifold_ready 1.0",
            'manifold_storage_pulled_versions_total{model="toy"} 2.0',
            'manifold_storage_refused_total{model="toy",reason="checksum",version="3"} 1.0',
        )

        s3.server.stop()
        server.wait_for_log("cannot be reached")
        assert server.post("/predict/toy", ROW).headers["X-Model-Version"] == "4"
        server.wait_for_metrics(f'manifold_storage_up{{store="{URL}"}} 0.0')
        [puller] = pullers(server)
        assert server.stop() == 0
        assert not Path(f"/proc/{puller}").exists()

    with running(URL, log, **settings) as server:  # with nothing but the cache
        assert server.post("/predict/toy", ROW).headers["X-Model-Version"] == "4"
    assert "secret-of-somebody" not in log.read_text()


def test_pull_and_push_say_what_they_did(s3: S3, tmp_path: Path):
    empty = run("pull", "--store", URL, "--cache", str(tmp_path / "cache"))
    assert (empty.returncode, "there is nothing at this URL" in empty.stderr) == (1, True)

    done = push(tmp_path / "store", 1)
    assert done.stdout.startswith(f"{URL}/toy/1: 6 files, "), done
    assert run("push", str(tmp_path / "store/toy/1"), URL).stdout == f"{URL}/toy/1 is there already, the same\n"
    pulled = run("pull", "--store", URL, "--cache", str(tmp_path / "cache"))
    assert (pulled.returncode, "pulled toy/1: 6 files, " in pulled.stderr) == (0, True)
    [found] = (tmp_path / "cache").glob("*/toy/1")
    subprocess.run(["diff", "-r", found, tmp_path / "store/toy/1"], check=True)


@pytest.mark.parametrize("begins", [("serve",), ("predict", "toy")], ids=["serve", "predict"])
def test_a_bucket_without_anything_to_serve_ends_the_start(s3: S3, tmp_path: Path, begins: tuple[str, ...]):
    ended = run(*begins, store=URL, cache=tmp_path)
    assert ended.returncode == 2
    assert f"nothing of {URL} could be pulled, and nothing of it is in {tmp_path}" in ended.stderr


def test_the_same_of_a_bucket_of_google_s(gcs: None, tmp_path: Path):
    url = "gs://bucket/models"
    done = run("push", str(artifacts.toy(tmp_path / "store")), url)
    assert done.stdout.startswith(f"{url}/toy/1: 6 files, "), done
    pulled = run("pull", "--store", url, "--cache", str(tmp_path / "cache"))
    assert (pulled.returncode, "pulled toy/1: 6 files, " in pulled.stderr) == (0, True)
    [found] = (tmp_path / "cache").glob("*/toy/1")
    subprocess.run(["diff", "-r", found, tmp_path / "store/toy/1"], check=True)
