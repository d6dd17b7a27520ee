"""The service, Prometheus and Grafana on one machine: taken by Compose, and every file that they mount is there."""

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest

from service.settings import Settings
from tests.deploy.rendering import DEPLOY, ROOT, read

FOLDER = DEPLOY / "compose"
(COMPOSE,) = read(FOLDER / "compose.yaml")
SERVICE = COMPOSE["services"]["manifold"]


def test_compose_takes_it() -> None:
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(schema.read_text()))


def test_what_is_mounted_and_built_is_there() -> None:
    mounts = [mount.split(":/")[0] for one in COMPOSE["services"].values() for mount in one.get("volumes", [])]
    paths = [path for path in mounts if path.startswith(".")]
    assert [path for path in mounts if path not in paths] == ["${STORE:-../../store}", *COMPOSE["volumes"]]
    for path in [*paths, SERVICE["build"]["context"]]:
        assert (FOLDER / path).is_dir(), path
    assert (FOLDER / SERVICE["build"]["context"]).resolve() == ROOT
    assert f" AS {SERVICE['build']['target']}\n" in (ROOT / "Dockerfile").read_text()


def test_the_service_has_the_time_to_stop() -> None:
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) >= Settings().graceful_timeout + 5


@pytest.mark.parametrize("service", COMPOSE["services"].values(), ids=COMPOSE["services"])
def test_nothing_is_open_to_the_network(service: Any) -> None:
    assert service["ports"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_prometheus_asks_the_service() -> None:
    (configuration,) = read(DEPLOY / "prometheus" / "prometheus.yml")
    targets = [
        target
        for job in configuration["scrape_configs"]
        for found in job["static_configs"]
        for target in found["targets"]
    ]
    assert f"manifold:{Settings().port}" in targets


def test_grafana_asks_prometheus_and_finds_the_dashboard() -> None:
    (sources,) = read(FOLDER / "provisioning" / "datasources" / "prometheus.yaml")
    (source,) = sources["datasources"]
    assert source["url"] == "http://prometheus:9090"
    home = COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    dashboard = json.loads((DEPLOY / "grafana" / home.removeprefix("/dashboards/")).read_text())
    assert dashboard["title"]
