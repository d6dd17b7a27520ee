"""The service under test: its store, its processes, and what an operator does to it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.bench.contenders import ROOT, link
from loadtest.chaos import faulty, processes, variant
from loadtest.chaos.door import HOST, Door
from loadtest.chaos.waiting import PATIENCE, Stuck, until
from service.versions import store

QUICK, SLOW = "faulty", "faulty-slow"
"""Models that fail when told to, on the event loop and on a thread."""


@dataclass
class Stage:
    """A server on two ports with `workers` workers; `shelf` has every version there is, `store` those published."""

    work: Path
    door: Door
    workers: int
    devices: int = 0
    sessions: list[int] = field(default_factory=list)
    master: int = 0
    operator: str = ""
    """The operator's key."""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def shelf(self) -> Path:
        return self.work / "shelf"

    @property
    def store(self) -> Path:
        return self.work / "store"

    @property
    def questions(self) -> Path:
        """Where the oracle wrote what is asked."""
        return self.work / "questions"

    @property
    def temporary(self) -> Path:
        return self.work / "tmp"

    @property
    def keys(self) -> Path:
        """The file of keys."""
        return self.work / "keys.json"

    def furnish(self, source: Path, models: Sequence[str], twice: Sequence[str]) -> dict[str, int]:
        """Publish the newest versions of these models of a store ([]: all), and say which these are.

        Of those named `twice` a second version, made of the first, stands on the shelf.
        """
        for version in store.to_serve(source, list(models), 1):
            link(version.folder, self.shelf / version.model / str(version.number))
            if version.model in twice:
                variant.scaled(version.folder, self.shelf / version.model / str(version.number + 1))
            self.publish(version.model, version.number)
        self.temporary.mkdir(exist_ok=True)
        self.door.key = self.new_key("clients", "predict")
        self.operator = self.new_key("operator", "admin", "read")
        return {version.model: version.number for version in store.to_serve(self.store, [], 1)}

    def furnish_faulty(self) -> dict[str, int]:
        """Publish the models that fail when they are told to; their versions."""
        for name, drag in ((QUICK, 0), (SLOW, faulty.DRAG)):
            faulty.write(self.shelf / name / "1", drag)
            self.publish(name, 1)
        self.operate("policy", SLOW, "--nan", "refuse")
        return {QUICK: 1, SLOW: 1}

    def new_key(self, name: str, *scopes: str) -> str:
        """A key that a running server takes from its file within a second or two."""
        return self.change_keys("add", name, *(f"--scope={scope}" for scope in scopes))

    def change_keys(self, *arguments: str) -> str:
        """What `python -m service keys` prints."""
        return self.operate("keys", "--file", str(self.keys), *arguments)

    def operate(self, *arguments: str) -> str:
        """What a command of `python -m service` prints; Stuck if it fails."""
        environment = os.environ | {"MANIFOLD_STORE": str(self.store)}
        command = [sys.executable, "-m", "service", *arguments]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise Stuck(f"{' '.join(arguments)}: {ran.stderr}")
        return ran.stdout.strip()

    def versions(self, model: str) -> dict[int, dict[str, str]]:
        """A model's versions as one worker tells them: state, and the reason why one is not served."""
        listed = json.loads(self.ask("GET", "/models")[1] or b"[]")
        return {one["version"]: one for entry in listed if entry["name"] == model for one in entry["versions"]}

    def publish(self, model: str, number: int) -> None:
        """Put a version of the shelf into the store, in one rename."""
        hidden = self.store / model / f".{number}.new"
        shutil.rmtree(hidden, ignore_errors=True)
        link(self.shelf / model / str(number), hidden)
        hidden.rename(self.store / model / str(number))

    def withdraw(self, model: str, number: int) -> None:
        """Take a version out of the store."""
        gone = self.store / model / f".{number}.gone"
        (self.store / model / str(number)).rename(gone)
        shutil.rmtree(gone)

    def published(self, model: str) -> list[int]:
        """The versions in the store, oldest first."""
        return sorted(int(folder.name) for folder in (self.store / model).iterdir() if folder.name.isdigit())

    def start(self) -> None:
        """Start a server, and wait until all workers listen and are ready."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MANIFOLD_")}
        devices = ",".join(f"cpu:{number}" for number in range(self.devices))
        given = {
            "STORE": self.store,
            "PORT": self.door.port,
            "GRPC_PORT": self.door.grpc_port,
            "WORKERS": self.workers,
            "VERSIONS": 0,
            "KEYS": self.keys,
            "ENGINE_TIMEOUT": 2,
            "LOG_LEVEL": "info",
            **({"PLACEMENT": "device", "DEVICES": devices} if devices else {}),
        }
        environment = {f"MANIFOLD_{name}": str(value) for name, value in given.items()}
        with (self.work / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve"],
                env=clean | environment | {"TMPDIR": str(self.temporary)},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.master = self.process.pid
        self.sessions.append(self.master)
        until("the service is ready", self.ready, 180)

    def ready(self) -> bool:
        """Whether all workers listen, and one says that it is ready."""
        if self.process is not None and self.process.poll() is not None and self.master == self.process.pid:
            raise Stuck(f"the service has ended:\n{self.log()}")
        return len(self.living()) == self.workers and self.ask("GET", "/readyz")[0] == 200

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        os.kill(self.master, signal.SIGTERM)
        until("the service ends", lambda: not self.alive())

    def alive(self) -> bool:
        """Whether the master lives."""
        if self.process is not None and self.process.pid == self.master:
            return self.process.poll() is None
        return processes.state(self.master) not in ("Z", "")

    def living(self) -> list[int]:
        """The workers that listen."""
        return processes.workers(self.master, self.door.port)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """A call of the operator's: status and body; 0 where there is no answer."""
        headers = {"Authorization": f"Bearer {self.operator}"}
        request = urllib.request.Request(f"http://{HOST}:{self.door.port}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - our own
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def command(self, model: str, what: str) -> tuple[int, str]:
        """Load or unload a model by a call: the status, and what was said."""
        status, body = self.ask("POST", f"/v2/repository/models/{model}/{what}", b"")
        return status, str(json.loads(body or b"{}"))

    def kill(self) -> None:
        """End whatever is left of every server."""
        for session in self.sessions:
            for pid in processes.of_session(session):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def log(self) -> str:
        """The end of what the server printed."""
        return (self.work / "log").read_text(errors="replace")[-3000:]
