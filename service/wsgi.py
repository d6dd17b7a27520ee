"""`service.wsgi:app`, for gunicorn and any other WSGI server: settings from the environment, models after the fork."""

import atexit
import os
import tempfile
from functools import partial
from pathlib import Path

from service import loading, logs, memory, server, settings
from service.app import create_app
from service.catalog import Catalog
from service.device import placement
from service.repository import Repository
from service.told import Folder
from service.trial import Trial
from service.watch import Watch
from service.wishes import Wishes

PATIENCE = 10.0
"""Seconds to wait for the models before listening without them."""

SETTINGS = settings.read(os.environ)
DEVICES = placement.sockets(SETTINGS, os.environ)
SHARED = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="manifold-"))
logs.begin(SETTINGS.log_level)
TRIAL = Trial(
    partial(loading.load, settings=SETTINGS, choose_driver=server.choose_driver, devices=DEVICES),
    SHARED / "loading",
    partial(loading.weight, settings=SETTINGS),
    memory.read,
    copies=1 if DEVICES else SETTINGS.worker_count,
)
CATALOG = Catalog([], TRIAL)
REPOSITORY = Repository(CATALOG, Wishes.of(SETTINGS), Folder(SHARED / "served"), TRIAL)
app = create_app(SETTINGS, CATALOG, server.wait, REPOSITORY if SETTINGS.admin == "on" else None)
if SETTINGS.grpc_port:
    from service.grpc.front import Front

    app.extensions["grpc"] = Front(SETTINGS, CATALOG, server.wait)  # the worker starts it
atexit.register(CATALOG.close)
atexit.register(TRIAL.close)
# A worker listens once its models stand, so that nobody notices a restarted one; a slow load does not hold up /healthz.
REPOSITORY.start(Watch(REPOSITORY, SETTINGS.watch)).join(PATIENCE)
