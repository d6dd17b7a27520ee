"""What an API server would refuse: Kubernetes' own schemas, and of custom resources the fields that are used here.

The latter follow the CRDs of prometheus-operator 0.93 and KServe 0.20, which are not at hand where the tests run.
"""

import functools
import json
from typing import Any

import jsonschema
import kubernetes_validate

from tests.deploy.rendering import Object

OLDEST, NEWEST = "1.30", kubernetes_validate.latest_version()
"""Versions of Kubernetes; Chart.yaml asks for the first, whose pods can sleep before they stop."""
DURATION = r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"

STRING = {"type": "string", "minLength": 1}
STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}


def record(*required: str, **properties: Any) -> dict[str, Any]:
    """An object of these fields and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items}


SECRET = record("name", "key", name=STRING, key=STRING)
TIME = {"type": "string", "pattern": DURATION}
RULE = record("expr", alert=STRING, record=STRING, expr=STRING, labels=STRINGS, annotations=STRINGS)
RULE["properties"] |= {"for": TIME, "keep_firing_for": TIME}
CUSTOM = {
    "ServiceMonitor": record(
        "selector",
        "endpoints",
        jobLabel=STRING,
        selector=record("matchLabels", matchLabels=STRINGS),
        endpoints=listed(
            record(
                "port",
                port=STRING,
                path=STRING,
                interval=TIME,
                relabelings=listed(
                    record(
                        "action",
                        sourceLabels=listed({"type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}),
                        regex=STRING,
                        action={"enum": ["keep", "drop"]},
                    )
                ),
                scheme={"enum": ["http", "https"]},
                tlsConfig=record(serverName=STRING, ca=record(secret=SECRET)),
                authorization=record("credentials", type=STRING, credentials=SECRET),
            )
        ),
    ),
    "PrometheusRule": record(
        "groups",
        groups=listed(
            record(
                "name",
                name=STRING,
                interval=TIME,
                rules=listed(RULE),
            )
        ),
    ),
    "ClusterServingRuntime": record(
        "supportedModelFormats",
        "protocolVersions",
        "containers",
        supportedModelFormats=listed(
            record("name", "version", name=STRING, version=STRING, autoSelect={"type": "boolean"})
        ),
        protocolVersions=listed({"enum": ["v1", "v2", "grpc-v1", "grpc-v2"]}),
        annotations=STRINGS,
        containers=listed({"type": "object"}),
        volumes=listed({"type": "object"}),
    ),
    "InferenceService": record(
        "predictor",
        predictor=record(
            "model",
            enableServiceLinks={"type": "boolean"},
            serviceAccountName=STRING,
            minReplicas={"type": "integer"},
            maxReplicas={"type": "integer"},
            model=record(
                "modelFormat", modelFormat=record("name", name=STRING), protocolVersion=STRING, storageUri=STRING
            ),
            storageUris=listed(record("uri", uri=STRING, mountPath={"type": "string", "pattern": "^/[^.]+$"})),
        ),
    ),
}
"""The `spec` of custom resources, by kind."""


def check(item: Object) -> None:
    """Raises a ValidationError for what the oldest or the newest API server would not take."""
    if item["kind"] in CUSTOM:
        jsonschema.validate(item["spec"], CUSTOM[item["kind"]])
        pod = {name: item["spec"].get(name, []) for name in ("containers", "volumes")}
        item = {"apiVersion": "v1", "kind": "Pod", "metadata": item["metadata"], "spec": pod}
    once(json.dumps(item))


@functools.cache
def once(item: str) -> None:
    for version in (OLDEST, NEWEST):
        kubernetes_validate.validate(json.loads(item), version, strict=True)
