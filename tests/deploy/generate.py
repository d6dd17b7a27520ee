"""`make manifests`: writes what is copied from elsewhere into the manifests. A test fails where it has not been run."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from service.settings import Settings
from tests.deploy.rendering import CHART, DEPLOY, KUBERNETES, base, one

RULES = KUBERNETES / "components" / "monitoring" / "rules.yaml"
SCHEMA = CHART / "values.schema.json"
DECIDED = {
    *("host", "port", "grpc_port", "certificate", "private_key", "client_ca", "keys", "trust"),
    *("store", "cache", "policy", "placement"),
}
"""Settings that other values decide. Of clients' certificates the kubelet has none: its probes would fail."""


def files() -> dict[Path, str]:
    """Every file that is written, and what is in it."""
    return {RULES: rules(), SCHEMA: schema()}


def rules() -> str:
    """The rules of deploy/prometheus as the Prometheus operator wants them."""
    service = one(base(), "Service")["metadata"]
    made = [
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {**service, "name": f"{service['name']}-{name}"},
            "spec": yaml.safe_load((DEPLOY / "prometheus" / f"{name}.yml").read_text()),
        }
        for name in ("rules", "alerts")
    ]
    return "# From deploy/prometheus, by `make manifests`.\n" + yaml.safe_dump_all(made, sort_keys=False, width=120)


def schema() -> str:
    """The chart's schema of values, with the settings that may be given."""
    known: Mapping[str, Any] = json.loads(SCHEMA.read_text())
    known["properties"]["settings"]["propertyNames"]["enum"] = sorted({one.name for one in fields(Settings)} - DECIDED)
    return json.dumps(known, indent=2) + "\n"


if __name__ == "__main__":
    for file, text in files().items():
        file.write_text(text)
