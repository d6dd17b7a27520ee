"""The native paths: a typed prediction per model, and the list of models."""

from service.dialects.bodies.forms import MSGPACK, NPZ
from service.openapi import drift, examples, inputs, outputs, tokens
from service.openapi.models import Model, Schema, any_of, ref
from service.openapi.operations import json_body, operation
from service.openapi.parameters import PREDICTED, TIMED, TRACED, any_model, query
from service.openapi.responses import PREDICTING, READING, answer, errors_of
from service.openapi.values import one_of
from service.settings import Settings
from service.versions.served import State

TAG = "Any model"
MOST_TOP = 1000

BINARY: Schema = {MSGPACK: {}, NPZ: {}}
FORMS = f"""\
One row, or a list of rows of any lengths, in JSON or, where tensors are large, in {MSGPACK}; or the rows of every input
as one array of an {NPZ} file. The answer is in the same form, unless `Accept` prefers another."""

TENSOR: Schema = {
    "title": "Tensor",
    "type": "object",
    "properties": {
        "dtype": {"type": "string"},
        "shape": {"description": "-1 is any size; axis 0 is the row.", "type": "array", "items": {"type": "integer"}},
    },
    "required": ["dtype", "shape"],
    "additionalProperties": False,
}
TENSORS: Schema = {"type": "object", "additionalProperties": ref("schemas", "tensor")}

SCHEMAS: Schema = (
    drift.SCHEMAS
    | tokens.SCHEMAS
    | {
        "tensor": TENSOR,
        "version": {
            "title": "Version",
            "type": "object",
            "properties": {
                "version": {"type": "integer", "minimum": 1},
                "state": one_of(state.value for state in State),
                "engine": {"description": "What computes.", "type": "string"},
                "device": {"description": "Where.", "type": "string"},
                "reason": {"description": "Why it was refused.", "type": "string"},
            },
            "required": ["version", "state"],
            "additionalProperties": False,
        },
        "summary": {
            "title": "Model",
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "title": {"type": "string"},
                "predict": {"description": "The path to ask.", "type": "string"},
                "versions": {"description": "Newest first.", "type": "array", "items": ref("schemas", "version")},
            },
            "required": ["name", "title", "predict", "versions"],
        },
        "model": {
            "title": "Model and version",
            "allOf": [ref("schemas", "summary")],
            "type": "object",
            "properties": {
                "version": {"description": "The version shown.", "type": "integer", "minimum": 1},
                "signature": {
                    "type": "object",
                    "properties": {"inputs": TENSORS, "outputs": TENSORS},
                    "required": ["inputs", "outputs"],
                    "additionalProperties": False,
                },
                "example": {"description": "A row that works.", "type": "object"},
                "card": {"description": "All that its card says; {} without one.", "type": "object"},
            },
            "required": ["version", "signature", "example", "card"],
        },
    }
)


LABEL = query("label", {"type": "string"}, "The version that has this label; not beside `version`.")


def schemas(model: Model) -> Schema:
    """The component schemas of a model: one row in, one row out."""
    return {f"{model.name}.row": model.either(inputs.row), f"{model.name}.answer": model.either(outputs.row)}


def paths(models: list[Model], names: list[str], settings: Settings) -> Schema:
    """POST /predict/… of every model that answers, and what shows all of them."""
    typed = {f"/predict/{model.name}": {"post": predict(model, settings)} for model in models}
    return typed | {
        "/models": {"get": listed()},
        "/models/{model}": {"get": shown(names)},
        "/models/{model}/tokens": {"post": tokens.read(names)},
        "/models/{model}/drift": {"get": drift.shown(names)},
    }


def predict(model: Model, settings: Settings) -> Schema:
    """Rows in, rows out."""
    row, row_out = ref("schemas", f"{model.name}.row"), ref("schemas", f"{model.name}.answer")
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": settings.max_queue_rows}
    rows_out = {"type": "array", "items": row_out, "minItems": 1}
    body = json_body(any_of([row, rows]), examples.of(model, "row", "rows"))
    told = answer("An answer per row, in the rows' order.", any_of([row_out, rows_out]), PREDICTED)
    for part in (body, told):
        part["content"] |= BINARY
    return operation(
        f"predict.{model.name}",
        model.name,
        f"Ask {model.name}: named inputs to named outputs",
        {
            "200": told,
            **errors_of("native", (*PREDICTING, 422)),
        },
        description=FORMS,
        parameters=[*asked(model, settings), *TIMED],
        requestBody=body,
    )


def asked(model: Model, settings: Settings) -> list[Schema]:
    """The query of a prediction."""
    names = list(dict.fromkeys(name for version in model.versions for name in version.signature.outputs))
    some = {"type": "array", "items": one_of(names), "minItems": 1}
    chosen = query("outputs", some, "Only these outputs.") | {"style": "form", "explode": False}
    top = {"type": "integer", "minimum": 0, "maximum": MOST_TOP, "default": settings.top}
    return [
        query("version", {"type": "integer", "enum": model.numbers}, "That version instead of the default."),
        LABEL,
        chosen,
        query("top", top, "So many labels in `top`; 0: only the best."),
    ]


def listed() -> Schema:
    """All models."""
    schema = {"type": "array", "items": ref("schemas", "summary")}
    return operation(
        "models", TAG, "What is served", {"200": answer("Every model.", schema), **errors_of("native", (405, 500))}
    )


def shown(names: list[str]) -> Schema:
    """One model."""
    version = query("version", {"type": "integer", "minimum": 1}, "That version instead of the default.")
    return operation(
        "model",
        TAG,
        "A model's card, signature and an example",
        {"200": answer("The model.", ref("schemas", "model")), **errors_of("native", (*READING, 422))},
        parameters=[any_model(names), version, LABEL, *TRACED],
    )
