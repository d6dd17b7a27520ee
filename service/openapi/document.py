"""The OpenAPI 3.1 document: the paths of every dialect, and the components they share."""

from collections.abc import Sequence

from service import VERSION
from service.openapi import admin, examples, health, native, oip, parameters, responses, tfs
from service.openapi.models import Model, Schema
from service.settings import Settings

DIALECTS = (native, tfs, oip)

DESCRIPTION = """\
Multi-input, multi-output models by name: named inputs in, named outputs out. Every model is asked natively under
`/predict`, as TensorFlow Serving is under `/v1`, and in the Open Inference Protocol under `/v2`.

Bodies may come in a `Content-Encoding` of gzip, deflate or zstd; inflated, they have at most {limit} bytes. A request
may take {seconds:g} seconds, or less by its `X-Request-Timeout`."""

TAGS = {
    native.TAG: "What is served: cards, signatures, examples.",
    tfs.TAG: "Status and metadata, as TensorFlow Serving's REST API v1 has them.",
    oip.TAG: "Metadata, health and the repository, as Triton, KServe and MLServer have them.",
    health.TAG: "For those who operate it.",
}


def build(models: list[Model], names: list[str], settings: Settings) -> Schema:
    """The document of the models that answer; `names` has those as well that do not yet."""
    return {
        "openapi": "3.1.0",
        "info": info(models, names, settings),
        "servers": [{"url": "/"}],
        "tags": tags(models),
        "paths": paths(models, names, settings),
        "components": components(models, settings),
    }


def info(models: Sequence[Model], names: Sequence[str], settings: Settings) -> Schema:
    """What the service is; which models are left out."""
    description = DESCRIPTION.format(limit=settings.max_body_bytes, seconds=settings.request_timeout)
    missing = sorted(set(names) - {model.name for model in models})
    if missing:
        description += f"\n\nLeft out, for they do not answer yet: {', '.join(missing)}."
    return {"title": "Manifold", "version": VERSION, "description": description}


def tags(models: Sequence[Model]) -> list[Schema]:
    """One per model, by its card, and one per dialect. Models' names have no blanks: none is taken twice."""
    told = {model.name: model.description for model in models} | TAGS
    return [{"name": name, "description": description} for name, description in told.items()]


def paths(models: list[Model], names: list[str], settings: Settings) -> Schema:
    """Every path, the models' own first."""
    found: Schema = {}
    for dialect in DIALECTS:
        found |= dialect.paths(models, names, settings)
    return found | admin.paths(names) | health.paths()


def components(models: Sequence[Model], settings: Settings) -> Schema:
    """What operations share."""
    schemas = responses.schemas() | admin.SCHEMAS
    shown: Schema = {}
    for dialect in DIALECTS:
        schemas |= dialect.SCHEMAS
    for model in models:
        shown |= examples.shared(model)
        for dialect in DIALECTS:
            schemas |= dialect.schemas(model)
    return {
        "schemas": schemas,
        "parameters": parameters.shared(settings),
        "headers": parameters.HEADERS,
        "responses": responses.shared(),
        "examples": shown,
    }
