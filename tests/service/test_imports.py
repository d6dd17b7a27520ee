"""Who may import whom."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.service.server import ROOT, said

FILES = sorted(file for package in ("service", "models", "training") for file in (ROOT / package).rglob("*.py"))


@cache
def imported(file: Path) -> frozenset[str]:
    """The full names of all modules a file imports, wherever in it."""
    return frozenset(statements(file))


def statements(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def importers(*libraries: str) -> set[str]:
    """The files that import any of these."""
    return {
        name(file)
        for file in FILES
        if any(
            module == library or module.startswith(f"{library}.") for module in imported(file) for library in libraries
        )
    }


def within(folder: str) -> set[str]:
    return {name(file) for file in FILES if name(file).startswith(f"{folder}/")}


def test_there_is_something_to_look_at():
    assert {"service/app.py", "models/architecture.py", "training/__main__.py"} <= set(map(name, FILES))
    assert "service/app.py" in importers("flask")


def test_the_service_knows_nothing_of_models_and_training():
    assert not importers("models", "training") & within("service")


def test_training_knows_nothing_of_the_service_but_what_both_must_do_alike():
    borrowers = importers("service") & (within("training") | within("models"))
    used = {module for name in borrowers for module in imported(ROOT / name) if module.startswith("service")}
    assert {module for module in used if (ROOT / f"{module.replace('.', '/')}.py").is_file()} == {
        f"service.{name}"
        for name in (
            *("card", "golden", "images", "nested", "numbers", "signature", "tensors", "versions.manifest"),
            *("drift.bins", "drift.features", "drift.psi", "engines.saved_model"),
        )
    }


def test_models_import_keras_what_types_need_and_what_weights_are_computed_with():
    allowed = {"keras", "numpy", "models", "sklearn"} | (sys.stdlib_module_names - {"os", "socket", "subprocess"})
    found = {module.split(".")[0] for file in FILES if name(file) in within("models") for module in imported(file)}
    assert found <= allowed


@pytest.mark.parametrize(
    ("libraries", "files"),
    [
        (("tensorflow", "keras"), {"service/engines/saved_model.py"}),
        (("onnxruntime",), {"service/engines/arena.py"}),
        (("ctypes",), {"service/heap.py", "service/sockets.py"}),
        (("marshmallow",), {"service/fields/tensor.py", "service/schemas.py"}),
        (("PIL",), {"service/images.py"}),
        (("backports", "zlib", "gzip"), {"service/dialects/bodies/coding.py"}),
        (("msgpack",), {"service/dialects/bodies/packed.py"}),
        (("simdjson",), {"service/dialects/bodies/numbers.py"}),
        (("nacl",), {"service/versions/manifest.py", "service/versions/sign.py"}),
        (
            ("fcntl",),
            {
                "service/access/command.py",
                "service/access/places.py",
                "service/device/handover.py",
                "service/drift/counts.py",
                "service/live/keeper.py",
                "service/remains.py",
                "service/storage/cache.py",
                "service/versions/repository.py",
                "service/server/protocol.py",
                "service/versions/told.py",
                "service/versions/trial.py",
                "service/versions/wishes.py",
            },
        ),
        (("fsspec", "obstore"), {"service/storage/remote.py"}),
        (("zipfile",), {"service/dialects/bodies/npz.py"}),
        (
            ("prometheus_client",),
            {
                "service/live/totals.py",
                "service/metrics/counting.py",
                "service/metrics/drift.py",
                "service/metrics/exposition.py",
                "service/metrics/families.py",
                "service/metrics/models.py",
                "service/metrics/scrapes.py",
                "service/remains.py",
            },
        ),
        (
            ("flask", "werkzeug"),
            {
                "service/app.py",
                "service/beside.py",
                "service/console/blueprint.py",
                "service/console/live.py",
                "service/console/report/routes.py",
                "service/console/page.py",
                "service/console/links.py",
                "service/console/refused.py",
                "service/console/signing.py",
                "service/pages.py",
                "service/server/relief.py",
                "service/server/worker.py",
                "service/telemetry/http.py",
                "service/web.py",
                "service/dialects/admin.py",
                "service/dialects/bodies/compression.py",
                "service/dialects/bodies/forms.py",
                "service/dialects/cors.py",
                "service/dialects/exchange.py",
                "service/dialects/guarded.py",
                "service/dialects/health.py",
                "service/dialects/native.py",
                "service/dialects/oip/repository.py",
                "service/dialects/oip/routes.py",
                "service/dialects/signed_in.py",
                "service/dialects/tfs/routes.py",
                "service/openapi/blueprint.py",
            },
        ),
        (
            ("gunicorn", "greenlet"),
            {
                "service/beside.py",
                "service/device/process.py",
                "service/master.py",
                "service/server/answering.py",
                "service/server/chunks.py",
                "service/server/head.py",
                "service/server/protocol.py",
                "service/server/relief.py",
                "service/server/tasks.py",
                "service/server/threads.py",
                "service/server/worker.py",
            },
        ),
        (("gunicorn_h1c",), {"service/server/parser.py"}),
        (
            ("grpc", "grpc_health", "grpc_reflection"),
            {
                "service/engines/tf_serving/link.py",
                "service/grpc/calls.py",
                "service/grpc/front.py",
                "service/grpc/health.py",
                "service/grpc/recorded.py",
            },
        ),
        (
            ("google.protobuf",),
            {
                "service/engines/tf_serving/messages.py",
                "service/grpc/calls.py",
                "service/grpc/messages.py",
                "service/grpc/schema.py",
            },
        ),
        (
            ("threading", "concurrent"),
            {
                "service/batching/admission.py",
                "service/batching/batcher.py",
                "service/beside.py",
                "service/versions/catalog.py",
                "service/device/host.py",
                "service/device/process.py",
                "service/device/turns.py",
                "service/batching/drivers.py",
                "service/drift/watched.py",
                "service/engines/device.py",
                "service/engines/programs.py",
                "service/engines/tf_serving/fleet.py",
                "service/engines/tf_serving/members.py",
                "service/batching/future.py",
                "service/versions/background.py",
                "service/versions/repository.py",
                "service/live/streams.py",
                "service/logs.py",
                "service/server/drivers.py",
                "service/server/tasks.py",
                "service/versions/patience.py",
                "service/versions/shadow.py",
                "service/batching/watchdog.py",
                "service/metrics/pending.py",
                "service/predict/scoring.py",
                "service/metrics/scrapes.py",
                "service/telemetry/beside.py",
                "service/telemetry/export.py",
            },
        ),
        (("opentelemetry",), {"service/telemetry/export.py", "service/telemetry/spans.py"}),
        (("ssl",), {"service/health.py", "service/tls.py"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_each_library_stays_where_it_belongs(libraries, files):
    assert importers(*libraries) & within("service") == files


def test_only_a_worker_loads_the_grpc_package():
    asking = "service/engines/tf_serving/messages.py"
    assert importers("service.grpc") - within("service/grpc") == {asking, "service/wsgi.py"}
    assert importers("service.engines.tf_serving") - within("service/engines/tf_serving") == {"service/loading.py"}


def test_what_nobody_asked_for_is_not_loaded():
    asked = {"service.console.blueprint", "service.live", "service.predict"}
    assert said(f"import sys, service.app; print(*sorted({asked} & set(sys.modules)))") == []


def test_what_speaks_to_devices_loads_no_tensorflow():
    look = "import sys; print(*sorted({'tensorflow', 'gunicorn', 'flask'} & set(sys.modules)))"
    assert said(f"import service.engines.device, service.device.placement; {look}") == []


@pytest.mark.parametrize("module", ["service.grpc.front", "service.engines.tf_serving.engine"])
def test_what_speaks_grpc_loads_no_tensorflow_and_starts_no_thread(module):
    look = "import sys, threading; print('tensorflow' in sys.modules, threading.active_count())"
    assert said(f"import {module}; {look}") == ["False", "1"]


def test_the_environment_is_read_in_few_places():
    readers = {
        name(file) for file in FILES if "os.environ" in file.read_text(encoding="utf-8") and "service/" in name(file)
    }
    assert readers == {
        "service/__init__.py",
        "service/__main__.py",
        "service/access/command.py",
        "service/device/placement.py",
        "service/device/process.py",
        "service/engines/saved_model.py",
        "service/health.py",
        "service/master.py",
        "service/metrics/exposition.py",
        "service/predict/command.py",
        "service/serve.py",
        "service/storage/command.py",
        "service/wsgi.py",
    }
