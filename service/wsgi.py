"""`service.wsgi:app`, for gunicorn and any other WSGI server: settings from the environment, models after the fork."""

import atexit
import os
import socket
import tempfile
from functools import partial
from pathlib import Path

from service import heap, loading, logs, metrics, server, settings
from service.access.guard import Guard
from service.access.keyring import Keyring
from service.app import create_app
from service.batching.admission import Room
from service.batching.watchdog import Limits, Watchdog
from service.device import placement
from service.dialects.exchange import is_real
from service.drift import rounds
from service.metrics import sampling
from service.metrics.sampling import Sampler
from service.server.drivers import Running
from service.telemetry.whole import Parts
from service.versions import memory
from service.versions.catalog import Catalog
from service.versions.patience import Patience
from service.versions.repository import Repository
from service.versions.told import Folder
from service.versions.trial import Trial
from service.versions.watch import Watch
from service.versions.wishes import Wishes

PATIENCE = 10.0
"""Seconds to wait for the models before listening without them."""

heap.few_arenas()
SETTINGS = settings.read(os.environ)
logs.begin(SETTINGS.log_level, SETTINGS.log_format)
TELLING = Parts(SETTINGS)
DEVICES = placement.sockets(SETTINGS, os.environ)
SHARED = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="manifold-"))
WATCHDOG = Watchdog(Limits(SETTINGS.engine_timeout, SETTINGS.worker_timeout, SETTINGS.graceful_timeout))
ROOM = Room(SETTINGS.max_held_rows, SETTINGS.max_held_bytes)
LOAD = partial(
    loading.load,
    settings=SETTINGS,
    choose_driver=server.choose_driver,
    devices=DEVICES,
    shared=loading.Shared(ROOM, TELLING.make_batcher),
)
WAIT = TELLING.timed(server.wait)
WATCHED = rounds.over(LOAD, SHARED / "drift", real=is_real) if SETTINGS.drift else LOAD
TRIAL = Trial(
    Patience(WATCHDOG.over(WATCHED), SETTINGS.load_timeout),
    SHARED / "loading",
    partial(loading.weight, settings=SETTINGS),
    memory.read,
    copies=1 if DEVICES else SETTINGS.worker_count,
)
CATALOG = Catalog([], TRIAL)
REPOSITORY = Repository(CATALOG, Wishes.of(SETTINGS), Folder(SHARED / "served"), TRIAL)
GUARD = Guard(Keyring(Path(SETTINGS.keys)), SHARED / "places") if SETTINGS.keys else None
app = create_app(SETTINGS, CATALOG, WAIT, REPOSITORY, GUARD)
if TELLING.telemetry is not None:
    from service.telemetry.http import observe

    observe(app, TELLING.telemetry)
KEEP = sampling.nothing
if SETTINGS.console == "on":
    from service.live import keeper
    from service.live.history import History
    from service.live.streams import Streams

    app.extensions["history"] = History(SHARED / "live", f"{socket.gethostname()}:{SETTINGS.port}")
    app.extensions["streams"] = Streams(app.extensions["history"], server.wait, server.parks)  # the worker ends them
    KEEP = keeper.of_server(app.extensions["history"], os.environ)
app.extensions["room"] = ROOM  # of which the worker takes a share for the bodies that it reads
if SETTINGS.grpc_port:
    from service.grpc import calls, recorded
    from service.grpc.front import Front

    make_call = calls.plain if TELLING.telemetry is None else recorded.maker(TELLING.telemetry)
    app.extensions["grpc"] = Front(SETTINGS, CATALOG, WAIT, GUARD, make_call)  # the worker starts it
atexit.register(WATCHDOG.end)  # of these the last to be called
atexit.register(TELLING.close)
atexit.register(metrics.flush)
atexit.register(CATALOG.close)
atexit.register(TRIAL.close)
WATCHDOG.start()
if SETTINGS.drift:
    rounds.begin(CATALOG, SETTINGS.drift)
# A worker listens once its models stand, so that nobody notices a restarted one; a slow load does not hold up /healthz.
app.extensions["stands"] = REPOSITORY.stands
REPOSITORY.start(Watch(REPOSITORY, SETTINGS.watch)).join(min(PATIENCE, SETTINGS.worker_timeout / 2))
Sampler(CATALOG, ROOM, lambda: Running.loop, KEEP).start()
