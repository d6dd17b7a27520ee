"""Who is measured: this service, an empty Flask view under its worker, and the peers.

A peer is a folder of `runners`, and an interpreter that has its packages: PEERS_HOME/NAME/bin/python, by default under
.venv-peers. One that is not installed is named and left out. `make peers` installs them.
"""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import machine
from loadtest.bench.plan import Scenario
from loadtest.bench.servers import HOST, Command

ROOT = Path(__file__).parents[2]
RUNNERS = Path(__file__).with_name("runners")
MAX_BATCH_ROWS = 32
"""Of the peers; as many as there are connections where the targets are."""


@dataclass(frozen=True)
class Place:
    """What to serve and where: a scenario, its SavedModel, the first of three free ports, a folder to work in."""

    scenario: Scenario
    folder: Path
    port: int
    work: Path


Start = Callable[[Place], Command]


@dataclass(frozen=True)
class Contender:
    """A server by its name: its wire form, how it is started, and the packages whose versions are worth telling.

    `form` is None for a server that does not compute.
    """

    name: str
    form: str | None
    start: Start
    packages: Sequence[str] = ()
    home: str = ""
    """The name of the peer's environment; "" for what runs in ours."""

    def installed(self) -> bool:
        return not self.home or python(self.home).is_file()

    def versions(self) -> Mapping[str, str]:
        """The versions of its packages."""
        return machine.versions(python(self.home) if self.home else Path(sys.executable), self.packages)


def python(home: str) -> Path:
    """A peer's interpreter."""
    folder = Path(os.environ.get("PEERS_HOME", ROOT / ".venv-peers")).expanduser()
    found = [folder / home, *folder.glob(f"*_{home}")]
    return next((one / "bin" / "python" for one in found if one.is_dir()), folder / home / "bin" / "python")


def manifold(place: Place) -> Command:
    """This service with the one version in a store of its own, and its defaults; idle connections stay for a minute."""
    path = f"/v1/models/{place.scenario.model}:predict"
    return service(place.work, place.port, {place.scenario.model: [place.folder]}, path, keepalive=60)


def service(work: Path, port: int, models: Mapping[str, Sequence[Path]], path: str = "", **settings: object) -> Command:
    """This service with these folders of versions by name, in a store of their own in `work`, and settings."""
    store = work / f"store-{port}"
    for name, folders in models.items():
        for folder in folders:
            link(folder, store / name / folder.name)
    given = {"STORE": store, "PORT": port, "LOG_LEVEL": "warning", **settings}
    environment = {f"MANIFOLD_{name.upper()}": str(value) for name, value in given.items()}
    return Command([sys.executable, "-m", "service", "serve"], path, "/readyz", environment, ROOT)


def link(source: Path, target: Path) -> None:
    """A copy of a folder, its files linked where that can be."""
    shutil.copytree(source.resolve(), target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(Path(source).resolve(), target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def empty(place: Place) -> Command:
    """An empty Flask view under the service's own gunicorn worker, with as many workers: it reads no body."""
    return bare(place.port, "/empty")


def bare(port: int, path: str) -> Command:
    """The views of runners/bare.py under the service's own gunicorn worker, with as many workers."""
    flags = f"--bind {HOST}:{port} --workers {len(os.sched_getaffinity(0))} --worker-class service.server.Worker"
    app = ["--log-level=warning", "--no-control-socket", "loadtest.bench.runners.bare:app"]
    return Command([sys.executable, "-m", "gunicorn", *flags.split(), *app], path, "/ready", folder=ROOT)


def peer(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a peer's runner: TensorFlow on the CPU, the SavedModel, the largest batch."""
    return {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONPATH": str(RUNNERS),
        "SAVED_MODEL": str(folder.resolve()),
        "MAX_BATCH_ROWS": str(MAX_BATCH_ROWS),
        **more,
    }


def mosec(place: Place) -> Command:
    """mosec: its Rust front, one worker with dynamic batching."""
    flags = f"--address {HOST} --port {place.port} --path {place.work / 'mosec'} --timeout 30000"
    return runner("mosec", "mosec_app.py", flags.split(), "/inference", peer(place.folder, BATCH_WAIT_MS="5"))


def triton(delay_us: int) -> Start:
    """Triton's own server, out of nvidia-pytriton, the model in its Python backend, with such a queue delay."""

    def start(place: Place) -> Command:
        arguments = [str(place.port), str(place.work / f"triton-{place.port}")]
        environment = peer(place.folder, BATCH_WAIT_US=str(delay_us))
        return runner("triton", "triton_start.py", arguments, "/v2/models/m/infer", environment)

    return start


def mlserver(place: Place) -> Command:
    """MLServer with adaptive batching."""
    arguments = [str(place.port), str(place.work / "mlserver")]
    environment = peer(place.folder, BATCH_WAIT_MS="5")
    return runner("mlserver", "mlserver_start.py", arguments, "/v2/models/m/infer", environment)


def flask_plain(place: Place) -> Command:
    """What one writes first: Flask, gunicorn's threads, TensorFlow, no batching."""
    arguments = ["--bind", f"{HOST}:{place.port}", "--worker-class=gthread", "--threads=64", "--timeout=120"]
    return runner("flask_plain", "flask_start.py", arguments, "/predict", peer(place.folder))


def runner(home: str, script: str, arguments: Sequence[str], path: str, environment: Mapping[str, str]) -> Command:
    """A peer's runner under its own interpreter."""
    return Command([str(python(home)), str(RUNNERS / script), *arguments], path, environment=environment)


TRITON = ("nvidia-pytriton", "tensorflow")

CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("manifold", "tensorflow-serving", manifold),
        Contender("empty", None, empty),
        Contender("triton", "open-inference", triton(0), TRITON, "triton"),
        Contender("triton-2ms", "open-inference", triton(2000), TRITON, "triton"),
        Contender("mosec", "plain", mosec, ("mosec", "tensorflow"), "mosec"),
        Contender("mlserver", "open-inference", mlserver, ("mlserver", "tensorflow"), "mlserver"),
        Contender("flask_plain", "plain", flask_plain, ("flask", "gunicorn", "tensorflow"), "flask_plain"),
    )
}
