"""The path that says how far a model's rows have moved."""

from service.drift.psi import Verdict
from service.drift.report import UNKNOWN
from service.openapi.models import Schema, ref
from service.openapi.operations import operation
from service.openapi.parameters import TRACED, any_model, query
from service.openapi.responses import READING, answer, errors_of
from service.openapi.values import one_of

SHARES: Schema = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}}
HOUR: Schema = {"type": "string", "format": "date-time"}
PSI: Schema = {"description": "Population stability index; null: rows are too few.", "type": ["number", "null"]}

FEATURE: Schema = {
    "title": "Drift of a feature",
    "type": "object",
    "properties": {
        "feature": {"description": "What of the input or output is looked at.", "type": "string"},
        "verdict": one_of(verdict.value for verdict in Verdict),
        "psi": PSI,
        "noise": {"description": "What chance brings; null without rows.", "type": ["number", "null"], "minimum": 0},
        "rows": {"description": "Recent rows.", "type": "integer", "minimum": 0},
        "since": HOUR | {"description": "When the recent rows begin."},
        "moved_since": {"description": "When it moved; null: it has not.", "type": ["string", "null"]},
        "bins": {"type": "array", "items": {"type": "string"}},
        "training": SHARES | {"description": "Share of the training's rows in every bin."},
        "recent": SHARES | {"description": "Share of the recent rows in every bin."},
        "hours": {
            "description": "Those of the last 24 that have rows enough, oldest first.",
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"from": HOUR, "psi": {"type": "number"}},
                "required": ["from", "psi"],
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
FEATURE["required"] = list(FEATURE["properties"])

SIDE: Schema = {
    "description": "The features of each, by name.",
    "type": "object",
    "additionalProperties": {"type": "array", "items": ref("schemas", "drift-feature")},
}

SCHEMAS: Schema = {
    "drift-feature": FEATURE,
    "drift": {
        "title": "Drift",
        "type": "object",
        "properties": {
            "model": {"type": "string"},
            "version": {"type": "integer", "minimum": 1},
            "verdict": one_of([*(verdict.value for verdict in Verdict), UNKNOWN])
            | {"description": "That of the feature that has moved most."},
            "reason": {"description": "Why it is not watched.", "type": "string"},
            "inputs": SIDE,
            "outputs": SIDE,
        },
        "required": ["model", "version", "verdict", "inputs", "outputs"],
        "additionalProperties": False,
    },
}


def shown(names: list[str]) -> Schema:
    """One model's drift."""
    version = query("version", {"type": "integer", "minimum": 1}, "That version instead of the default.")
    label = query("label", {"type": "string"}, "The version that has this label; not beside `version`.")
    return operation(
        "drift",
        "Any model",
        "How far what is asked and answered has moved from what the model learnt",
        {"200": answer("Its drift.", ref("schemas", "drift")), **errors_of("native", (*READING, 422))},
        parameters=[any_model(names), version, label, *TRACED],
    )
