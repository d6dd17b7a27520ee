"""`python -m service serve`: gunicorn, configured from the settings. Models are loaded in the workers, never before."""

import importlib.util
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from service import card, settings, tls
from service.access import audit, keyring
from service.device import placement
from service.device.placement import Device
from service.errors import ServiceError
from service.master import Gunicorn
from service.settings import PREFIX, BadSettings, Settings, address
from service.sockets import check_free, close_listeners, listeners
from service.storage.keeper import PULL, Keeper, pull
from service.storage.location import is_url
from service.telemetry.installed import check_installed
from service.versions import manifest, store
from service.versions.wishes import Wishes

MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes its heartbeat file there, unlinked
LIBRARIES = {"grpc": "grpcio", "grpc_health": "grpcio-health-checking", "grpc_reflection": "grpcio-reflection"}
"""What the extra `grpc` installs, by the names that are imported."""
LOGGERS = {"text": "gunicorn.glogging.Logger", "json": "service.master.JsonLogger"}
WORKERS = {"greenlet": "service.server.Worker", "gthread": "service.server.Threads"}


def main(flags: Mapping[str, str | None]) -> int:
    """Serve until a signal says otherwise; raises BadSettings or NothingToServe before anything starts."""
    chosen = settings.read(os.environ, flags)
    replaces = "GUNICORN_FD" in os.environ  # a running server has started this one in its place, and still listens
    if chosen.fleet:
        check_grpc(f"FLEET={chosen.fleet}")
    if chosen.grpc_port:
        check_grpc(f"GRPC_PORT={chosen.grpc_port}")
        if not replaces:
            check_free(chosen.host, chosen.grpc_port, "GRPC_PORT")
    if chosen.traces == "on":
        check_installed()
    check_files(chosen)
    # The workers read their settings from the environment, as under any other WSGI server.
    os.environ |= {PREFIX + name.upper(): value for name, value in flags.items() if value is not None}
    if is_url(chosen.store):
        pull(chosen)
    wishes = Wishes.of(chosen)
    versions = [one for model, told in wishes.begin().items() for one in wishes.versions(model, told.versions)]
    devices = place(chosen, placement.visible_here(), tensorflow_sees_a_gpu)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="manifold-metrics-")
    # What this server's processes write meanwhile goes with it, also of those that are killed.
    tempfile.tempdir = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    os.environ[f"{PREFIX}PLACEMENT"] = placement.placed(chosen, devices)
    os.environ[f"{PREFIX}DEVICES"] = ",".join(device.name for device in devices)
    placement.folder(os.environ).mkdir()
    sockets = chosen.worker == "greenlet" and not replaces
    shared = listeners(chosen.host, chosen.port, chosen.worker_count) if sockets else []
    chosen = listening(chosen, shared)
    os.environ[f"{PREFIX}PORT"] = str(chosen.port)
    processes = device_processes(chosen, devices)
    keeper = Keeper([*PULL, "--follow", str(os.getpid())]) if is_url(chosen.store) and chosen.store_poll else None
    Gunicorn(configuration(chosen, shared) | processes, welcome(chosen, versions), keeper).run()
    return 0


def listening(chosen: Settings, sockets: Sequence[socket.socket]) -> Settings:
    """The settings with the port of these sockets, if there are any: port 0 leaves it to the system."""
    return replace(chosen, port=sockets[0].getsockname()[1]) if sockets else chosen


def place(chosen: Settings, masks: Sequence[str], sees_gpus: Callable[[], bool]) -> list[Device]:
    """The devices that get a process each. A GPU that TensorFlow does not see is hidden from all, or a BadSettings.

    `masks` are the GPUs that driver and environment show.
    """
    devices = placement.place(chosen, masks, placement.has_tensorflow())
    names = ", ".join(device.name for device in devices)
    if "gpu" not in names or sees_gpus():
        return devices
    if chosen.placement == "device" or chosen.devices:
        raise BadSettings(f"{names}: the driver shows it, but this TensorFlow does not see it")
    print(f"The driver shows {names}, but TensorFlow does not see it: the CPU computes", file=sys.stderr, flush=True)
    os.environ[placement.MASK] = placement.NO_GPU
    return []


def tensorflow_sees_a_gpu() -> bool:
    """Asked in a process of its own: nothing of TensorFlow may be loaded before the workers are forked."""
    ask = "from service.engines.saved_model import visible_gpus; print(visible_gpus())"
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)  # noqa: S603
    return asked.stdout.split()[-1:] not in ([], ["0"])


def check_files(chosen: Settings) -> None:
    """BadSettings, BadKeys or Untrusted if a file that the settings name cannot be used: nobody learns it later."""
    if chosen.certificate:
        tls.context(chosen)
    if chosen.keys:
        keyring.read(Path(chosen.keys))
    manifest.public_keys(chosen.trusted)
    if chosen.audit:
        try:
            audit.append(Path(chosen.audit), b"")
        except OSError as error:
            raise BadSettings(f"{PREFIX}AUDIT={chosen.audit}: {error.strerror}") from error


MOST_SHOWN = 600
"""Characters of an example that is shown at the start; those of pictures and series have thousands."""


def welcome(chosen: Settings, versions: list[store.Version]) -> str:
    """What to try first: a curl line for each model whose example is short enough to read."""
    host = "127.0.0.1" if chosen.host in ("0.0.0.0", "::") else address(chosen.host)  # noqa: S104 - shown, not bound
    url = f"{'https' if chosen.certificate else 'http'}://{host}:{chosen.port}"
    key = ' -H "X-Api-Key: $KEY"' if chosen.keys else ""
    lines = [f"Loading {len(versions)} model versions; once /readyz is 200, ask on {url}, for example:"]
    if chosen.console == "on":
        lines.insert(0, f"In a browser: {url}/")
    if chosen.policy and not chosen.policy_file.exists():
        lines.insert(0, f"{PREFIX}POLICY={chosen.policy} is not there yet: models are served as without it")
    for version in {version.model: version for version in reversed(versions)}.values():
        try:
            manifest.confine(version.folder, version.folder.parent.parent)
            example = card.read(version.folder).example
        except (ServiceError, OSError):
            continue  # whoever loads it says why not
        body = shlex.quote(json.dumps(example, ensure_ascii=False))
        if example and len(body) <= MOST_SHOWN:
            lines.append(f"  curl -s {url}/predict/{version.model}{key} -d {body}")
    return "\n".join(lines)


def check_grpc(needed: str) -> None:
    """BadSettings if gRPC cannot be spoken here."""
    missing = [library for name, library in LIBRARIES.items() if importlib.util.find_spec(name) is None]
    if missing:
        lack = f"{', '.join(missing)} not installed here (deploy/requirements/slim-grpc.txt)"
        raise BadSettings(f"{PREFIX}{needed}: {lack}")


def configuration(chosen: Settings, sockets: Sequence[socket.socket] = ()) -> dict[str, Any]:
    """gunicorn's settings; it takes the sockets over, if there are any, else it makes one."""
    return {
        "bind": [f"fd://{one.detach()}" for one in sockets] or [f"{address(chosen.host)}:{chosen.port}"],
        "workers": chosen.worker_count,
        "worker_class": WORKERS[chosen.worker],
        "threads": chosen.threads if chosen.worker == "gthread" else 1,
        "worker_connections": 10_000,
        "graceful_timeout": chosen.graceful_timeout,
        "timeout": chosen.worker_timeout,
        "keepalive": chosen.keepalive,
        "asgi_lifespan": "off",
        "control_socket_disable": True,
        "loglevel": chosen.log_level,
        "logger_class": LOGGERS[chosen.log_format],
        "proc_name": "manifold",
        "worker_tmp_dir": str(MEMORY) if MEMORY.is_dir() else None,
    } | encryption(chosen)


def encryption(chosen: Settings) -> dict[str, Any]:
    """gunicorn's settings for TLS; it reads the files for every connection, unless told otherwise."""
    if not chosen.certificate:
        return {}
    return {
        "certfile": chosen.certificate,
        "keyfile": chosen.private_key,
        "ssl_context": lambda _configuration, _default: tls.kept(chosen),
    }


def device_processes(chosen: Settings, devices: Sequence[Device]) -> dict[str, Any]:
    """gunicorn's settings for the processes of these devices."""
    if not devices:
        return {}
    stands_by = chosen.standby == "on" or (chosen.standby == "auto" and any("gpu" in one.name for one in devices))
    processes = len(devices) + stands_by
    return {
        "dirty_apps": [f"service.device.process:DeviceProcess:{processes}"],
        "dirty_workers": processes,
        "on_dirty_starting": close_listeners,
        "dirty_timeout": chosen.worker_timeout,
        "dirty_graceful_timeout": chosen.graceful_timeout,
        # gunicorn takes the processes of a server of the same name for orphans, and ends them.
        "proc_name": f"manifold-{os.getpid()}",
    }
