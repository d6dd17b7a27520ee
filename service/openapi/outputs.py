"""JSON Schemas of outputs: what the card's kinds answer natively, as service/outputs.py interprets them."""

from collections.abc import Sequence

from service.openapi.inputs import described, quantity
from service.openapi.models import Described, Schema, named
from service.openapi.values import answered, fixed, nested, one_of
from service.outputs import NumberOutput, NumbersOutput, Output, ProbabilitiesOutput, ProbabilityOutput
from service.signature import TensorSpec

CHANCE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}


def row(version: Described) -> Schema:
    """The answer to one row: every output by its name, or those that the query asks for."""
    return named(version.signature.outputs, lambda spec: value(spec, version.card.output(spec.name)), required=False)


def value(spec: TensorSpec, meaning: Output) -> Schema:
    """One row of an output."""
    match meaning:
        case NumberOutput():
            told = quantity(None, meaning.minimum, meaning.maximum)
            return titled(meaning.title, told) | measured({"value": answered(spec.dtype)}, meaning.unit)
        case NumbersOutput():
            told = quantity(None, meaning.minimum, meaning.maximum)
            values = nested(answered(spec.dtype), spec.dims, least=0)
            return titled(meaning.title, told) | measured({"values": values}, meaning.unit)
        case ProbabilityOutput():
            told = f"{meaning.labels[1]!r} from a probability of {meaning.threshold:g} on"
            return titled(meaning.title, told) | members(choice(meaning.labels))
        case ProbabilitiesOutput():
            return titled(meaning.title, rule(meaning)) | members(chosen(meaning), optional=("top", "threshold"))
        case _:
            return nested(answered(spec.dtype), spec.dims, least=0)


def titled(title: str, told: str) -> Schema:
    """Title and description, where there are any."""
    return ({"title": title} if title else {}) | described(told)


def measured(values: Schema, unit: str | None) -> Schema:
    """Numbers beside their unit."""
    return members(values | ({"unit": {"const": unit}} if unit else {}))


def choice(labels: Sequence[str]) -> Schema:
    """The answer, and how probable it is."""
    return {"label": one_of(labels), "probability": CHANCE}


def chosen(meaning: ProbabilitiesOutput) -> Schema:
    """The answer, the most probable labels, and the threshold where none reached it."""
    top = {
        "description": "The most probable labels first; left out with top=0.",
        "type": "array",
        "items": pair(meaning.labels),
        "minItems": 1,
        "maxItems": len(meaning.labels),
    }
    unsure = {} if meaning.otherwise is None else {"threshold": {"const": meaning.threshold}}
    return choice(meaning.labels) | {"top": top} | unsure


def pair(labels: Sequence[str]) -> Schema:
    """A label and its probability."""
    shown = [[labels[0], 0.5]]
    return fixed(one_of(labels), CHANCE) | {"examples": shown}


def rule(meaning: ProbabilitiesOutput) -> str:
    """When the answer is not the most probable label."""
    if meaning.otherwise is None:
        return ""
    return f"{meaning.otherwise!r} where no probability reaches {meaning.threshold:g}; `threshold` is there then"


def members(properties: Schema, optional: Sequence[str] = ()) -> Schema:
    """An object of these members and no other."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
