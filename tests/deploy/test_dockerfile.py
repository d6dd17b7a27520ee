"""The Dockerfile without an engine: hadolint, and what it must say as the project does. `make image-test` builds it."""

import re
import subprocess
import sys
from pathlib import Path

import service

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, "--no-color", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_version_on_its_labels_is_the_projects() -> None:
    assert set(re.findall(r"^ARG VERSION=(\S+)", DOCKERFILE, re.MULTILINE)) == {service.VERSION}


def test_every_lock_it_may_install_is_there() -> None:
    chosen = re.findall(r"(?:--build-arg|ARG) (?:SLIM|FULL)=(\S+)", DOCKERFILE)
    assert set(chosen) == {"slim", "slim-grpc", "full", "gpu"}
    assert all((ROOT / "deploy" / "requirements" / f"{lock}.txt").is_file() for lock in chosen)
