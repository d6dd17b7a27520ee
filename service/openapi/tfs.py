"""TensorFlow Serving's REST API v1: typed predictions per model, status and metadata."""

from service.dialects.tfs.strings import BYTES
from service.openapi import examples, inputs, tfs_heads, values
from service.openapi.models import Described, Model, Schema, any_of, named, ref
from service.openapi.operations import json_body, operation
from service.openapi.parameters import PREDICTED, TIMED, TRACED, any_model, any_version, version_of, ways
from service.openapi.responses import PREDICTING, READING, answer, errors_of
from service.openapi.values import B64, nested, one_of, unbounded
from service.settings import Settings
from service.signature import TensorSpec
from service.versions.served import State

TAG = "TensorFlow Serving"
ANSWER = (
    "`predictions` to `instances`, `outputs` to `inputs`. Numbers that are not finite are bare words, as in Python."
)

OF = {"": "", "version": "_of_version", "label": "_of_label"}
KNOWN = {"version": "one version", "label": "the version with a label"}

SCHEMAS: Schema = {
    **values.SCHEMAS,
    **tfs_heads.SCHEMAS,
    "tfs-status": {
        "title": "GetModelStatusResponse",
        "type": "object",
        "properties": {"model_version_status": {"type": "array", "items": ref("schemas", "tfs-version")}},
        "required": ["model_version_status"],
    },
    "tfs-version": {
        "title": "ModelVersionStatus",
        "type": "object",
        "properties": {
            "version": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "state": one_of(state.value for state in State),
            "status": {
                "type": "object",
                "properties": {"error_code": {"type": "string"}, "error_message": {"type": "string"}},
                "required": ["error_code", "error_message"],
            },
        },
        "required": ["version", "state", "status"],
    },
    "tfs-metadata": {
        "title": "GetModelMetadataResponse",
        "type": "object",
        "properties": {
            "model_spec": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "signature_name": {"type": "string"},
                    "version": {"type": "string"},
                },
                "required": ["name", "signature_name", "version"],
            },
            "metadata": {
                "type": "object",
                "properties": {"signature_def": {"type": "object"}},
                "required": ["signature_def"],
            },
        },
        "required": ["model_spec", "metadata"],
    },
}


def schemas(model: Model) -> Schema:
    """The component schemas of a model: bodies by row and by column, and their answers."""
    found = tfs_heads.schemas(model)
    forms = {"request": {"row": by_row, "column": by_column}, "answer": {"row": row_answer, "column": column_answer}}
    for whole, by in forms.items():
        parts = {f"{model.name}.tfs-{whole}-by-{way}": model.either(schema) for way, schema in by.items()}
        found |= parts | {f"{model.name}.tfs-{whole}": any_of(ref("schemas", name) for name in parts)}
    return found


def by_row(version: Described) -> Schema:
    """A list of rows; of a model with one input, bare values do as well."""
    row = inputs.row(version, tfs=True)
    bare = [inputs.of(spec, version, tfs=True) for spec in only(version)]
    return envelope(
        version, "instances", any_of({"type": "array", "items": one, "minItems": 1} for one in [row, *bare])
    )


def by_column(version: Described) -> Schema:
    """A list per input; of a model with one input, it needs no name."""
    columns = named(version.signature.inputs, lambda spec: column(spec, version)) | {"additionalProperties": True}
    return envelope(version, "inputs", any_of([columns, *(column(spec, version) for spec in only(version))]))


def only(version: Described) -> list[TensorSpec]:
    """The input of a model that has one."""
    specs = list(version.signature.inputs.values())
    return specs if len(specs) == 1 else []


def column(spec: TensorSpec, version: Described) -> Schema:
    """All rows of an input."""
    return {"type": "array", "items": inputs.of(spec, version, tfs=True), "minItems": 1}


def envelope(version: Described, key: str, schema: Schema) -> Schema:
    """What surrounds the tensors."""
    signatures = ["", "serving_default", *(["text"] if version.card.has_words else [])]
    other = "inputs" if key == "instances" else "instances"
    return {
        "description": f"By {'row' if key == 'instances' else 'column'}.",
        "type": "object",
        "properties": {"signature_name": one_of(signatures), key: schema},
        "required": [key],
        "not": {"required": [other]},
    }


def row_answer(version: Described) -> Schema:
    """A value per row where there is one output, else an object of named ones."""
    specs = list(version.signature.outputs.values())
    row = tensor(specs[0]) if len(specs) == 1 else named(version.signature.outputs, tensor)
    return wrapped("predictions", {"type": "array", "items": row, "minItems": 1})


def column_answer(version: Described) -> Schema:
    """The tensor where there is one output, else an object of named ones."""
    specs = list(version.signature.outputs.values())
    return wrapped("outputs", rows(specs[0]) if len(specs) == 1 else named(version.signature.outputs, rows))


def rows(spec: TensorSpec) -> Schema:
    """All rows of an output."""
    return {"type": "array", "items": tensor(spec), "minItems": 1}


def tensor(spec: TensorSpec) -> Schema:
    """One row of an output; numbers that are not finite are the bare words NaN and Infinity."""
    is_bytes = spec.dtype.kind == "O" and spec.name.endswith(BYTES)
    return nested(B64 if is_bytes else unbounded(spec.dtype), spec.dims, least=0)


def wrapped(key: str, schema: Schema) -> Schema:
    """An answer's envelope."""
    return {"type": "object", "properties": {key: schema}, "required": [key], "additionalProperties": False}


def paths(models: list[Model], names: list[str], settings: Settings) -> Schema:
    """POST …:predict of every model that answers, and what is known of all of them."""
    found: Schema = {}
    for model in models:
        for way, part, named_by in ways(version_of(model)):
            found[f"/v1/models/{model.name}{part}:predict"] = {"post": predict(model, way, named_by)}
        found |= tfs_heads.paths(model)
    for way, part, named_by in ways(any_version(models)):
        parameters = [any_model(names), *named_by, *TRACED]
        found |= {
            f"/v1/models/{{model}}{part}": {"get": status(way, parameters)},
            f"/v1/models/{{model}}{part}/metadata": {"get": metadata(way, parameters)},
        }
    return found


def predict(model: Model, way: str, named_by: list[Schema]) -> Schema:
    """Rows or columns in, the same out."""
    return operation(
        tfs_heads.name_of("predict", model, way),
        model.name,
        f"Ask {tfs_heads.ASKED[way]}{model.name} as TensorFlow Serving",
        {
            "200": answer(
                ANSWER,
                ref("schemas", f"{model.name}.tfs-answer"),
                PREDICTED,
            ),
            **errors_of("tfs", PREDICTING),
        },
        parameters=[*named_by, *TIMED],
        requestBody=json_body(
            ref("schemas", f"{model.name}.tfs-request"),
            {} if way == "label" else examples.of(model, "instances", "inputs"),
        ),
    )


def status(way: str, parameters: list[Schema]) -> Schema:
    """The state of a model's versions."""
    return operation(
        f"tfs_status{OF[way]}",
        TAG,
        f"The state of {KNOWN[way]}" if way else "The state of a model's versions",
        {"200": answer("The states.", ref("schemas", "tfs-status")), **errors_of("tfs", (400, *READING))},
        parameters=parameters,
    )


def metadata(way: str, parameters: list[Schema]) -> Schema:
    """The signature."""
    return operation(
        f"tfs_metadata{OF[way]}",
        TAG,
        f"The signature of {KNOWN[way]}" if way else "A model's signature",
        {"200": answer("The signature.", ref("schemas", "tfs-metadata")), **errors_of("tfs", (400, *READING))},
        parameters=parameters,
    )
