"""`python -m service serve`: gunicorn, configured from the settings. Models are loaded in the workers, never before."""

import importlib.util
import json
import os
import shlex
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from service import card, settings, store
from service.settings import PREFIX, BadSettings, Settings, address

MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes its heartbeat file there, unlinked
LIBRARIES = {"grpc": "grpcio", "grpc_health": "grpcio-health-checking", "grpc_reflection": "grpcio-reflection"}
"""What the extra `grpc` installs, by the names that are imported."""
WORKERS = {"greenlet": "service.server.Worker", "gthread": "service.server.Threads"}


def main(flags: Mapping[str, str | None]) -> int:
    """Serve until a signal says otherwise; raises BadSettings or NothingToServe before anything starts."""
    chosen = settings.read(os.environ, flags)
    if chosen.grpc_port:
        check_grpc(chosen.host, chosen.grpc_port)
    versions = store.to_serve(Path(chosen.store), chosen.model_names, chosen.versions)
    # The workers read their settings from the environment, as under any other WSGI server.
    os.environ |= {PREFIX + name.upper(): value for name, value in flags.items() if value is not None}
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="manifold-metrics-")
    Gunicorn(chosen, welcome(chosen, versions)).run()
    return 0


MOST_SHOWN = 600
"""Characters of an example that is shown at the start; those of pictures and series have thousands."""


def welcome(chosen: Settings, versions: list[store.Version]) -> str:
    """What to try first: a curl line for each model whose example is short enough to read."""
    host = "127.0.0.1" if chosen.host in ("0.0.0.0", "::") else address(chosen.host)  # noqa: S104 - shown, not bound
    lines = [
        f"Loading {len(versions)} model versions; once /readyz is 200, ask on http://{host}:{chosen.port}, for example:"
    ]
    for version in {version.model: version for version in reversed(versions)}.values():
        example = card.read(version.folder).example
        body = shlex.quote(json.dumps(example, ensure_ascii=False))
        if example and len(body) <= MOST_SHOWN:
            lines.append(f"  curl -s http://{host}:{chosen.port}/predict/{version.model} -d {body}")
    return "\n".join(lines)


def check_grpc(host: str, port: int) -> None:
    """BadSettings if gRPC cannot be spoken there, as far as that can be told before the workers are."""
    missing = [library for name, library in LIBRARIES.items() if importlib.util.find_spec(name) is None]
    if missing:
        lack = f"{', '.join(missing)} not installed here (deploy/requirements/full.txt)"
        raise BadSettings(f"{PREFIX}GRPC_PORT={port}: {lack}")
    if "GUNICORN_PID" in os.environ:
        return  # a running server has started this one in its place, and still listens
    # The workers share the port, and so would another server's, unasked: nobody may listen there yet.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host.strip("[]"), port), family=family).close()
    except OSError as error:
        raise BadSettings(f"{PREFIX}GRPC_PORT={port}: {error.strerror}") from error


class Gunicorn(BaseApplication):  # type: ignore[misc]
    """gunicorn with this service's settings."""

    def __init__(self, chosen: Settings, greeting: str) -> None:
        self._chosen = chosen
        self._greeting = greeting
        super().__init__()

    def load_config(self) -> None:
        for name, value in configuration(self._chosen).items():
            self.cfg.set(name, value)
        self.cfg.set("when_ready", lambda _: print(self._greeting, flush=True))
        self.cfg.set("on_exit", lambda _: shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True))

    def load(self) -> Any:
        from service.wsgi import app

        return app


def configuration(chosen: Settings) -> dict[str, Any]:
    """gunicorn's settings."""
    return {
        "bind": f"{address(chosen.host)}:{chosen.port}",
        "workers": chosen.worker_count,
        "worker_class": WORKERS[chosen.worker],
        "threads": chosen.threads if chosen.worker == "gthread" else 1,
        "worker_connections": 10_000,
        "graceful_timeout": chosen.graceful_timeout,
        "timeout": 60,
        "keepalive": chosen.keepalive,
        "asgi_lifespan": "off",
        "control_socket_disable": True,
        "loglevel": chosen.log_level,
        "proc_name": "manifold",
        "worker_tmp_dir": str(MEMORY) if MEMORY.is_dir() else None,
    }
