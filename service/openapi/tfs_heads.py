"""TensorFlow Serving's :classify and :regress, where the card names labels or a number."""

from service.openapi import examples
from service.openapi.models import HEADS, Described, Model, Schema, any_of, ref
from service.openapi.operations import json_body, operation
from service.openapi.parameters import PREDICTED, TIMED, version_of, ways
from service.openapi.responses import PREDICTING, answer, errors_of
from service.openapi.values import B64, element, fixed, one_of
from service.outputs import Output, ProbabilitiesOutput, ProbabilityOutput
from service.signature import TensorSpec

SCHEMAS: Schema = {
    "tfs-class": {
        "title": "Class",
        "description": "A label and its probability.",
        **fixed({"type": "string"}, {"type": "number"}),
    },
}

ASKED = {"": "", "version": "a version of ", "label": "the version with a label of "}
"""Whom an operation asks, by the way in which its path names a version."""
TOLD = {"classify": "Every label and its probability, example by example.", "regress": "A number per example."}


def able(model: Model, verb: str) -> list[Described]:
    """The versions with such an output."""
    return [version for version in model.versions if version.heads(verb)]


def schemas(model: Model) -> Schema:
    """The component schemas of a model's verbs."""
    found: Schema = {}
    for verb in HEADS:
        if versions := able(model, verb):
            found[f"{model.name}.tfs-{verb}-request"] = any_of(request(version, verb) for version in versions)
            found[f"{model.name}.tfs-{verb}-answer"] = any_of(response(version, verb) for version in versions)
    return found


def request(version: Described, verb: str) -> Schema:
    """Examples of flat features; the signature names the output, unless it is the only one."""
    names, only = version.heads(verb), len(version.signature.outputs) == 1
    features = {
        "type": "object",
        "properties": {name: feature(spec, version) for name, spec in version.signature.inputs.items()},
    }
    signature = {"description": "The output to answer.", **one_of([*names, *(["", "serving_default"] if only else [])])}
    return {
        "type": "object",
        "properties": {
            "signature_name": signature,
            "context": features | {"description": "Features of every example."},
            "examples": {"type": "array", "items": features, "minItems": 1},
        },
        "required": ["examples"] if only else ["signature_name", "examples"],
    }


def feature(spec: TensorSpec, version: Described) -> Schema:
    """A value, or a flat list that fills a row; of an input on the card, a string."""
    plain = element(spec.dtype)
    strings = [{"type": "string"}, B64] if spec.name in version.card.inputs or plain["type"] == "string" else []
    return any_of([plain, *strings, *({"type": "array", "items": one, "minItems": 1} for one in [plain, *strings])])


def response(version: Described, verb: str) -> Schema:
    """A result per example."""
    results = any_of(result(version.card.output(name)) for name in version.heads(verb))
    return {
        "type": "object",
        "properties": {"results": {"type": "array", "items": results, "minItems": 1}},
        "required": ["results"],
        "additionalProperties": False,
    }


def result(meaning: Output) -> Schema:
    """Every label and its score, in the card's order; or one number."""
    if not isinstance(meaning, ProbabilityOutput | ProbabilitiesOutput):
        return {"type": "number"}
    count = len(meaning.labels)
    return {
        "description": "Every label, in the order of the card.",
        "type": "array",
        "items": ref("schemas", "tfs-class"),
        "minItems": count,
        "maxItems": count,
    }


def paths(model: Model) -> Schema:
    """The verbs of a model, if its card says what they mean."""
    return {
        f"/v1/models/{model.name}{part}:{verb}": {"post": ask(model, verb, way, named_by)}
        for verb in HEADS
        if able(model, verb)
        for way, part, named_by in ways(version_of(model))
    }


def ask(model: Model, verb: str, way: str, named_by: list[Schema]) -> Schema:
    """Examples in, results out."""
    told = answer(TOLD[verb], ref("schemas", f"{model.name}.tfs-{verb}-answer"), PREDICTED)
    return operation(
        name_of(verb, model, way),
        model.name,
        f"Ask {ASKED[way]}{model.name} as TensorFlow Serving: {verb}",
        {"200": told, **errors_of("tfs", PREDICTING)},
        parameters=[*named_by, *TIMED],
        requestBody=json_body(
            ref("schemas", f"{model.name}.tfs-{verb}-request"), {} if way == "label" else examples.of(model, verb)
        ),
    )


def name_of(verb: str, model: Model, way: str) -> str:
    """The operationId of a verb."""
    return f"tfs_{verb}{way and f'_{way}'}.{model.name}"
