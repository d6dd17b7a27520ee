"""What a cluster would be given: the kustomizations and the chart, rendered by their own tools, without a cluster."""

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import Chart

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
CHART = DEPLOY / "helm" / "manifold"

Object = Mapping[str, Any]


def read(file: Path) -> list[Any]:
    """The documents of a YAML file."""
    return list(yaml.safe_load_all(file.read_text()))


def base() -> list[Object]:
    """The base: its files as they are, for its kustomization changes none. It needs no tool."""
    (kustomization,) = read(KUBERNETES / "base" / "kustomization.yaml")
    assert set(kustomization) == {"apiVersion", "kind", "resources"}
    return [document for name in kustomization["resources"] for document in read(KUBERNETES / "base" / name)]


def kustomized(folder: Path) -> list[Object]:
    """What `kubectl apply -k` would apply; skips where there is no kubectl that knows components."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: kustomizations with components are not rendered")
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    if 'unknown field "components"' in done.stderr:
        pytest.skip("this kubectl is older than 1.21: kustomizations with components are not rendered")
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def charted(values: Object | None = None, name: str = "manifold", namespace: str = "default") -> list[Object]:
    """What `helm install NAME` would apply; HelmValuesError where the chart's schema refuses the values."""
    with Chart.load(CHART) as chart:
        files = chart.render(dict(values or {}), name=name, namespace=namespace)
    texts = [text for file, text in files.items() if file.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def one(objects: Iterable[Object], kind: str) -> Any:
    """The only one of a kind."""
    (found,) = [item for item in objects if item["kind"] == kind]
    return found


def pod(objects: Iterable[Object]) -> Any:
    """What the Deployment says of its pods."""
    return one(objects, "Deployment")["spec"]["template"]["spec"]


def container(objects: Iterable[Object]) -> Any:
    """The container that serves."""
    (found,) = pod(objects)["containers"]
    return found


def environment(container: Object) -> dict[str, str]:
    """The variables of a container."""
    return {variable["name"]: variable["value"] for variable in container["env"]}
