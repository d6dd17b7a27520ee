"""Kustomizations and chart: taken by Kubernetes, and one and the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import Chart, lint

from tests.deploy import generate, schemas
from tests.deploy.combinations import COMPONENTS, TOGETHER, VALUES
from tests.deploy.rendering import CHART, DEPLOY, KUBERNETES, Object, base, charted, kustomized, one, pod, read

HELMS_OWN = ("helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version")


def merged(*values: Any) -> dict[str, Any]:
    """Objects of values, one over the other."""
    together: dict[str, Any] = {}
    for value in values:
        for name, item in value.items():
            both = isinstance(item, dict) and isinstance(together.get(name), dict)
            together[name] = merged(together[name], item) if both else item
    return together


def overlay(folder: Path, components: Sequence[str]) -> list[Object]:
    """The base with these components, in a folder of its own beside them: kustomize reads no others."""
    (folder / "kubernetes").symlink_to(KUBERNETES)
    paths = [f"kubernetes/components/{name}" for name in components]
    kustomization = {"resources": ["kubernetes/base"], "components": paths}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return kustomized(folder)


def plain(objects: Sequence[Object]) -> dict[tuple[str, str], Any]:
    """Objects by kind and name, without what only Helm says of them and without the order of what has names."""
    found = {}
    for item in objects:
        metadata = item["metadata"]
        labels = {name: value for name, value in metadata["labels"].items() if name not in HELMS_OWN}
        notes = {name: value for name, value in metadata.get("annotations", {}).items() if "helm.sh" not in name}
        metadata = {**metadata, "labels": labels, "annotations": notes}
        found[item["kind"], metadata["name"]] = ordered({**item, "metadata": metadata})
    return found


def ordered(value: Any) -> Any:
    """Lists of things with names, by name."""
    if isinstance(value, dict):
        return {name: ordered(item) for name, item in value.items()}
    if isinstance(value, list):
        items = [ordered(item) for item in value]
        named = all(isinstance(item, dict) and "name" in item for item in items)
        return sorted(items, key=lambda item: str(item["name"])) if named else items
    return value


def test_the_base_and_the_chart_are_one() -> None:
    assert plain(base()) == plain(charted())


@pytest.mark.parametrize("components", TOGETHER, ids="+".join)
def test_components_and_values_are_one(components: Sequence[str], tmp_path: Path) -> None:
    values = merged(*(COMPONENTS[name] for name in components))
    objects = overlay(tmp_path, components)
    for item in objects:
        schemas.check(item)

    assert plain(objects) == plain(optional(charted(values)))


def optional(objects: list[Object]) -> list[Any]:
    """The chart is told whether there is a Secret with credentials; the kustomization takes one if there is."""
    for item in objects:
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            for source in container.get("envFrom", []):
                source["secretRef"]["optional"] = True
    return objects


def test_the_overlay_to_copy_is_taken() -> None:
    for item in kustomized(KUBERNETES / "production"):
        schemas.check(item)
        assert item["metadata"]["namespace"] == "manifold"


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
def test_what_the_chart_renders_is_taken(values: Object) -> None:
    for item in charted(values):
        schemas.check(item)

    report = lint(CHART, dict(values), strict=True)
    assert not report["errors"], report


def test_a_release_of_another_name_shares_no_name() -> None:
    names = [{item["metadata"]["name"] for item in charted(name=name)} for name in ("manifold", "blue", "manifold-2")]
    assert len(set.union(*names)) == sum(map(len, names))


def test_the_loader_is_taken() -> None:
    for item in read(KUBERNETES / "loader.yaml"):
        schemas.check(item)


PODS = {
    "the chart's": pod(charted({"store": {"url": "s3://bucket/models", "pullFirst": True}})),
    "the loader": one(read(KUBERNETES / "loader.yaml"), "Pod")["spec"],
    "KServe's": one(read(DEPLOY / "kserve" / "runtime.yaml"), "ClusterServingRuntime")["spec"],
}


@pytest.mark.parametrize("spec", PODS.values(), ids=PODS.keys())
def test_a_pod_fits_the_restricted_standard(spec: Any) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        security = spec.get("securityContext", {}) | container["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] > 0
        assert not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}


def test_no_two_groups_of_rules_share_a_name() -> None:
    for item in read(generate.RULES):
        names = [group["name"] for group in item["spec"]["groups"]]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("file", generate.files(), ids=lambda file: file.name)
def test_what_is_copied_into_the_manifests_is_as_it_is_there(file: Path) -> None:
    assert file.read_text() == generate.files()[file], "make manifests"


def test_a_packaged_chart_renders_the_same(tmp_path: Path) -> None:
    """What it links to from other folders travels with it."""
    values: dict[str, Any] = {"monitoring": {"enabled": True, "dashboard": True}}
    with Chart.load(CHART) as chart, Chart.load(chart.save(tmp_path)) as packaged:
        assert packaged.render(values, name="manifold") == chart.render(values, name="manifold")
