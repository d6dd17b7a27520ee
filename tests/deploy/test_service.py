"""The manifests and the service they start: ports, probes, variables, times and users are the service's own."""

import re
from itertools import chain

import pytest
from prometheus_client import REGISTRY

from service import settings
from service.app import create_app
from service.settings import Settings
from service.versions.catalog import Catalog
from tests.deploy.combinations import VALUES
from tests.deploy.rendering import DEPLOY, KUBERNETES, ROOT, Object, charted, container, environment, one, pod, read

DOCKERFILE = (ROOT / "Dockerfile").read_text()
EVERY = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@EVERY
def test_the_service_takes_the_variables_it_is_given(values: Object) -> None:
    objects = charted(values)
    for each in [container(objects), *pod(objects).get("initContainers", [])]:
        variables = environment(each)
        assert len(variables) == len(each["env"])
        settings.read(variables)


def test_what_pulls_first_takes_no_version_that_what_serves_would_refuse() -> None:
    objects = charted({"store": {"url": "s3://bucket/models", "pullFirst": True}, "trust": {"release.pub": "RWQ="}})
    (first,) = pod(objects)["initContainers"]
    assert settings.read(environment(first)).trusted == settings.read(environment(container(objects))).trusted != []


def test_settings_reach_the_service_as_they_were_meant() -> None:
    given = {"max_held_bytes": 268435456, "max_wait": 0.25, "models": "qa,profile", "watch": 0}
    read = settings.read(environment(container(charted({"settings": given}))))
    assert {name: getattr(read, name) for name in given} == given


@EVERY
def test_a_pod_has_the_time_that_it_needs_to_stop(values: Object) -> None:
    objects = charted(values)
    sleep = container(objects)["lifecycle"]["preStop"]["sleep"]["seconds"]
    graceful = settings.read(environment(container(objects))).graceful_timeout
    assert pod(objects)["terminationGracePeriodSeconds"] >= sleep + graceful + 5


def test_a_worker_that_hangs_is_replaced_before_its_pod_is() -> None:
    probe = container(charted())["livenessProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] > Settings().worker_timeout


def test_probes_ask_what_the_service_answers() -> None:
    app = create_app(Settings(), Catalog([], lambda _: None), wait=lambda *_: None)
    for probe in PROBES:
        asked = container(charted())[probe]["httpGet"]
        assert asked["port"] == "http"
        assert app.test_client().get(asked["path"]).status_code == 200


def test_with_tls_probes_and_prometheus_speak_it() -> None:
    objects = charted({"tls": {"secret": "tls"}, "monitoring": {"enabled": True}})
    assert {container(objects)[probe]["httpGet"]["scheme"] for probe in PROBES} == {"HTTPS"}
    (endpoint,) = one(objects, "ServiceMonitor")["spec"]["endpoints"]
    assert (endpoint["scheme"], endpoint["tlsConfig"]["serverName"]) == ("https", "manifold.default.svc")


def test_ports_are_those_that_the_service_listens_on() -> None:
    objects = charted({"service": {"grpcPort": 9000}})
    found = {port["name"]: port["containerPort"] for port in container(objects)["ports"]}
    listens = settings.read(environment(container(objects)))
    assert found == {"http": listens.port, "grpc": listens.grpc_port}


@pytest.mark.parametrize(
    ("values", "image"),
    [("defaults", "slim"), ("object-storage", "slim"), ("a fleet", "grpc"), ("policy, trust, TLS and gRPC", "grpc")],
)
def test_the_image_is_the_smallest_that_can_do_it(values: str, image: str) -> None:
    assert container(charted(VALUES[values]))["image"] == f"manifold:0.1.0-{image}"


def test_the_image_listens_to_others_as_the_user_of_the_pod() -> None:
    assert re.search(r"\bMANIFOLD_HOST=0\.0\.0\.0\b", DOCKERFILE)
    users = {int(user) for user in re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE)}
    assert users == {pod(charted())["securityContext"]["runAsUser"]}


@EVERY
def test_nothing_is_written_but_where_it_may_be(values: Object) -> None:
    objects = charted(values)
    each = container(objects)
    assert each["securityContext"]["readOnlyRootFilesystem"]
    writable = {mount["mountPath"] for mount in each["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"/tmp", environment(each).get("MANIFOLD_CACHE", "/tmp")}


def test_a_worker_for_every_core_has_the_memory_that_it_may_hold() -> None:
    each = container(charted())
    limits = each["resources"]["limits"]
    held = int(limits["cpu"]) * Settings().max_held_bytes
    assert limits == each["resources"]["requests"]
    assert held < int(limits["memory"].removesuffix("Gi")) * 2**30


def test_the_scaler_asks_for_what_the_adapter_makes_of_what_the_service_counts() -> None:
    (adapter,) = read(KUBERNETES / "adapter.yaml")
    (rule,) = adapter["rules"]
    scaler = one(charted({"autoscaling": {"enabled": True}}), "HorizontalPodAutoscaler")
    (asked,) = [metric["pods"]["metric"]["name"] for metric in scaler["spec"]["metrics"] if metric["type"] == "Pods"]
    assert rule["name"]["as"] == asked
    series = rule["name"]["matches"].strip("^$")
    assert rule["seriesQuery"].startswith(series)
    assert series in REGISTRY._names_to_collectors


def test_every_variable_in_any_manifest_is_a_setting() -> None:
    named = {f"{settings.PREFIX}{name.upper()}" for name in Settings.__dataclass_fields__}
    files = [file for file in chain(DEPLOY.rglob("*.yaml"), DEPLOY.rglob("*.tpl")) if "requirements" not in file.parts]
    found = {name for file in files for name in re.findall(r"\bMANIFOLD_[A-Z_]*[A-Z]\b", file.read_text())}
    assert found
    assert found <= named
