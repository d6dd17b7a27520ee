"""For those who operate the service: is it alive, is it ready, what does it count."""

from typing import Any

from flask import Blueprint, Response

from service import redact
from service.dialects.exchange import json_response
from service.handle import Wait
from service.metrics.drift import Drift
from service.metrics.models import Models
from service.metrics.scrapes import Scrapes
from service.versions.catalog import Catalog
from service.web import current_request

SCRAPE_SECONDS = 30.0
"""Until whoever asks for the metrics gets an error."""


def blueprint(catalog: Catalog, wait: Wait) -> Blueprint:
    """/healthz, /readyz and /metrics."""
    health = Blueprint("health", __name__)
    scrapes = Scrapes([Models(catalog), Drift(catalog)])

    @health.get("/healthz")
    def live() -> Response:
        return json_response({"live": True})

    @health.get("/readyz")
    def ready() -> Response:
        unready = {name: redact.line(trouble) for name, trouble in catalog.unready().items()}
        return json_response({"ready": not unready, "unready": unready}, 503 if unready else 200)

    @health.get("/metrics")
    def exposition() -> Response:
        written: Any = wait(scrapes.ask(current_request().environ.get("HTTP_ACCEPT", "")), SCRAPE_SECONDS)
        text, content_type = written
        return Response(text, content_type=content_type)

    return health
