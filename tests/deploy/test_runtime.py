"""The runtime for KServe and the services of it: taken by KServe, and startable from what its init container brings."""

from pathlib import Path
from typing import Any

import pytest

from service import settings
from service.versions.wishes import Wishes
from tests.deploy import schemas
from tests.deploy.rendering import DEPLOY, base, container, environment, pod, read

FOLDER = DEPLOY / "kserve"
(RUNTIME,) = read(FOLDER / "runtime.yaml")
SERVICES = {name: read(FOLDER / f"{name}.yaml")[0] for name in ("volume", "object-storage")}
(CONTAINER,) = RUNTIME["spec"]["containers"]


@pytest.mark.parametrize("item", [RUNTIME, *SERVICES.values()], ids=lambda item: item["kind"])
def test_it_is_taken(item: Any) -> None:
    schemas.check(item)


def test_the_runtime_starts_the_same_container_as_the_base() -> None:
    other = container(base())
    assert CONTAINER["image"] == other["image"]
    assert CONTAINER["resources"] == other["resources"]
    of_pods = {name: pod(base())["securityContext"][name] for name in ("runAsNonRoot", "runAsUser", "seccompProfile")}
    assert CONTAINER["securityContext"] == {**other["securityContext"], **of_pods}


def test_it_has_ended_before_kubernetes_ends_it() -> None:
    pods_have = 30
    assert settings.read(environment(CONTAINER)).graceful_timeout + 5 <= pods_have


def test_a_service_finds_the_runtime_by_its_format_and_protocol() -> None:
    (selected,) = [one["name"] for one in RUNTIME["spec"]["supportedModelFormats"] if one["autoSelect"]]
    for item in SERVICES.values():
        model = item["spec"]["predictor"]["model"]
        assert model["modelFormat"]["name"] == selected
        assert model["protocolVersion"] in RUNTIME["spec"]["protocolVersions"]


@pytest.mark.parametrize("item", SERVICES.values(), ids=SERVICES.keys())
def test_it_serves_the_model_of_its_name_from_what_kserve_mounts(item: Any, tmp_path: Path) -> None:
    name = item["metadata"]["name"]
    mounted = brought(item, tmp_path)
    variables = {key: value.replace("{{.Name}}", name) for key, value in environment(CONTAINER).items()}
    chosen = settings.read(variables | {"MANIFOLD_STORE": str(mounted / variables["MANIFOLD_STORE"].lstrip("/"))})
    assert {model: told.versions for model, told in Wishes.of(chosen).begin().items()} == {name: (2,)}


def brought(item: Any, root: Path) -> Path:
    """A pod's file system with what KServe mounts of a store: the whole volume, or a prefix's files where it says."""
    predictor = item["spec"]["predictor"]
    uris = predictor.get("storageUris") or [{"uri": predictor["model"]["storageUri"], "mountPath": "/mnt/models"}]
    for one in uris:
        _, _, prefix = one["uri"].partition("://")[2].partition("/")
        for path in ("models/qa/1", "models/qa/2", "models/titles/1"):
            inside = path if one["uri"].startswith("s3") else path.removeprefix("models/")
            if inside.startswith(prefix):
                folder = root / one["mountPath"].lstrip("/") / inside.removeprefix(prefix).lstrip("/")
                folder.mkdir(parents=True)
                (folder / "saved_model.pb").touch()
    return root
