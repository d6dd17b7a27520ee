"""Who may import whom."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(file for package in ("service", "models", "training") for file in (ROOT / package).rglob("*.py"))


def imported(file: Path) -> Iterator[str]:
    """The full names of all modules a file imports, wherever in it."""
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


def test_training_knows_nothing_of_the_service():
    assert not importers("service") & (within("training") | within("models"))


def test_models_import_keras_and_what_types_need_only():
    allowed = {"keras", "numpy", "models"} | (sys.stdlib_module_names - {"os", "socket", "subprocess"})
    found = {module.split(".")[0] for file in FILES if name(file) in within("models") for module in imported(file)}
    assert found <= allowed


@pytest.mark.parametrize(
    ("libraries", "files"),
    [
        (("tensorflow", "keras"), {"service/engines/saved_model.py"}),
        (("onnxruntime",), {"service/engines/onnx.py"}),
        (("marshmallow",), {"service/schemas.py"}),
        (("prometheus_client",), {"service/metrics.py"}),
        (
            ("flask", "werkzeug"),
            {
                "service/app.py",
                "service/server.py",
                "service/dialects/exchange.py",
                "service/dialects/health.py",
                "service/dialects/native.py",
                "service/dialects/tfs.py",
            },
        ),
        (("gunicorn", "greenlet"), {"service/serve.py", "service/server.py"}),
        (
            ("threading", "concurrent"),
            {
                "service/batcher.py",
                "service/catalog.py",
                "service/handle.py",
                "service/queueing.py",
                "service/server.py",
            },
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_each_library_stays_where_it_belongs(libraries, files):
    assert importers(*libraries) & within("service") == files


def test_the_environment_is_read_in_few_places():
    readers = {
        name(file) for file in FILES if "os.environ" in file.read_text(encoding="utf-8") and "service/" in name(file)
    }
    assert readers == {
        "service/__main__.py",
        "service/engines/saved_model.py",
        "service/metrics.py",
        "service/serve.py",
        "service/wsgi.py",
    }
