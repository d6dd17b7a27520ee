"""For those who operate the service: is it alive, is it ready, what does it count."""

from flask import Blueprint, Response

from service import metrics, redact
from service.dialects.exchange import json_response
from service.versions.catalog import Catalog


def blueprint(catalog: Catalog) -> Blueprint:
    """/healthz, /readyz and /metrics."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def live() -> Response:
        return json_response({"live": True})

    @health.get("/readyz")
    def ready() -> Response:
        unready = {name: redact.line(trouble) for name, trouble in catalog.unready().items()}
        return json_response({"ready": not unready, "unready": unready}, 503 if unready else 200)

    @health.get("/metrics")
    def exposition() -> Response:
        text, content_type = metrics.exposition()
        return Response(text, content_type=content_type)

    return health
