"""The service tells nobody what it serves: libraries that would report it are kept from it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.server import ROOT, environment


@pytest.mark.parametrize("module", ["service.engines.onnx", "training.twin.verify"])
def test_onnx_runtime_makes_no_identifier_and_keeps_nothing_to_report(module: str, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    silent = ("ORT_DISABLE_TELEMETRY", "CI")  # either would keep it silent without us
    clean = {name: value for name, value in environment().items() if name not in silent}
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, env=clean | home, check=True)
    assert not [*tmp_path.rglob("*onnxruntime*")]
