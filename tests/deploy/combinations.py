"""What people deploy: every component of the kustomizations beside the values of the chart that mean the same."""

from typing import Any

COMPONENTS: dict[str, dict[str, Any]] = {
    "autoscaling": {"autoscaling": {"enabled": True}},
    "monitoring": {"monitoring": {"enabled": True}},
    "keys": {"keys": {"secret": "manifold-keys"}, "monitoring": {"keySecret": "manifold-scrape"}},
    "gpu": {"resources": {"gpus": 1, "memory": "12Gi"}},
    "object-storage": {"store": {"url": "s3://bucket/models", "secret": "manifold-object-storage"}},
}
TOGETHER = [
    ["autoscaling"],
    ["monitoring"],
    ["keys"],
    ["gpu"],
    ["object-storage"],
    ["object-storage", "gpu", "autoscaling", "monitoring", "keys"],
]
"""Components in the order in which a kustomization names them."""

VALUES: dict[str, dict[str, Any]] = {
    "defaults": {},
    **COMPONENTS,
    "a claim that exists": {"store": {"claim": "models"}},
    "a claim of a class": {"store": {"storageClass": "nfs", "size": "20Gi", "accessMode": "ReadWriteOnce"}},
    "pulled first": {"store": {"url": "gs://bucket/models", "pullFirst": True}, "settings": {"store_poll": 0}},
    "a fleet": {
        "settings": {"fleet": "tf-serving.models.svc:8500"},
        "network": {"to": [{"ports": [{"port": 53, "protocol": "UDP"}, {"port": 8500, "protocol": "TCP"}]}]},
    },
    "policy, trust, TLS and gRPC": {
        "policy": {"qa": {"versions": 2, "labels": {"stable": 3}}},
        "trust": {"release.pub": "RWQ=", "next.pub": "RWR="},
        "tls": {"secret": "manifold-tls"},
        "service": {"type": "LoadBalancer", "port": 443, "grpcPort": 8500, "annotations": {"a": "b"}},
        "monitoring": {"enabled": True, "labels": {"release": "prometheus"}, "dashboard": True},
    },
    "the rest": {
        "image": {"repository": "registry.example.com/manifold", "tag": "1", "pullSecrets": [{"name": "registry"}]},
        "settings": {"max_held_bytes": 268435456, "max_wait": 0.25, "precision": "reduced", "graceful_timeout": 60},
        "env": [{"name": "OTEL_SERVICE_NAME", "value": "manifold"}],
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/manifold"}},
        "network": {"to": [{"ports": [{"port": 4318, "protocol": "TCP"}]}]},
        "podAnnotations": {"a": "b"},
        "nodeSelector": {"pool": "models"},
        "tolerations": [{"key": "models", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "disruption": {"maxUnavailable": "25%"},
    },
}
