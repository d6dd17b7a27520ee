"""The path that says how a model reads texts."""

from service.openapi.models import Schema, ref
from service.openapi.operations import json_body, operation
from service.openapi.parameters import TRACED, any_model, query
from service.openapi.responses import READING, answer, errors_of
from service.reading import MOST_READ, MOST_SHOWN

WORD: Schema = {
    "description": "As it is written, and its id.",
    "type": "array",
    "prefixItems": [{"type": "string"}, {"type": "integer"}],
    "minItems": 2,
    "maxItems": 2,
}
COUNT: Schema = {"type": "integer", "minimum": 0}

SCHEMAS: Schema = {
    "tokens": {
        "title": "How a text is read",
        "type": "object",
        "properties": {
            "words": {"description": "The first of them.", "type": "array", "items": WORD, "maxItems": MOST_SHOWN},
            "count": COUNT | {"description": "All words."},
            "most": COUNT | {"description": "What the model takes; where its texts have a fixed length, that length."},
            "unknown": COUNT | {"description": "Words that the model never saw."},
        },
        "required": ["words", "count", "most", "unknown"],
        "additionalProperties": False,
    }
}

DESCRIPTION = f"""\
Counts and looks up words exactly as a prediction does, without asking the model. All texts together may have
{MOST_READ} characters."""


def read(names: list[str]) -> Schema:
    """Texts in, their words out."""
    version = query("version", {"type": "integer", "minimum": 1}, "That version instead of the default.")
    label = query("label", {"type": "string"}, "The version that has this label; not beside `version`.")
    texts: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    told: Schema = {"type": "object", "additionalProperties": ref("schemas", "tokens")}
    return operation(
        "tokens",
        "Any model",
        "How the model reads texts: their words, and which of these it never saw",
        {"200": answer("Each text, by input.", told), **errors_of("native", (*READING, 400, 413, 415, 422))},
        description=DESCRIPTION,
        parameters=[any_model(names), version, label, *TRACED],
        requestBody=json_body(texts),
    )
