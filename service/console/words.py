"""An input or an output in a word or two, for those who look for a model: "text", "picture", "one of 27"."""

from collections.abc import Mapping
from math import prod
from typing import Any

from service.signature import Shape, TensorSpec

MOST_NAMED = 2
"""Labels that are told; of more their number is."""
PLURALS = {"text": "texts", "picture": "pictures", "number": "numbers"}
TIMES = {2: "twice", 3: "three times"}


def of_input(told: Mapping[str, Any], spec: TensorSpec) -> str:
    """By what the card tells of it, and else by its tensor."""
    match told.get("kind"):
        case "tokens" | "text":
            return "text"
        case "image":
            return "picture"
        case "category":
            return one_of(told["labels"])
    return quantity(spec, told.get("unit"))


def of_output(told: Mapping[str, Any], spec: TensorSpec) -> str:
    """The same of an output."""
    if told.get("kind") in ("probability", "probabilities"):
        labels = told["labels"]
        return one_of(labels) + (" answers" if len(labels) > MOST_NAMED else "")
    return quantity(spec, told.get("unit"), told.get("dims"))


def one_of(labels: list[str]) -> str:
    """A choice.

    >>> one_of(["no", "yes"]), one_of(["red", "green", "blue"])
    ('no or yes', 'one of 3')
    """
    return " or ".join(labels) if len(labels) <= MOST_NAMED else f"one of {len(labels)}"


def quantity(spec: TensorSpec, unit: str | None, dims: Shape | None = None) -> str:
    """Numbers, or strings, by their shape, which a card may know better."""
    if spec.dtype.kind == "O":
        return "text" if prod(size or 2 for size in spec.dims) == 1 else "texts"
    return shape(spec.dims if dims is None else dims) + (f" in {unit}" if unit else "")


def shape(dims: Shape) -> str:
    """How many numbers.

    >>> shape(()), shape((1,)), shape((64,)), shape((2, 2)), shape((None,)), shape((None, 3))
    ('number', 'number', '64 numbers', '2 × 2 numbers', 'series of numbers', 'series of 3 numbers')
    """
    first, *rest = dims or (1,)
    if first is None:
        each = " × ".join(str(size or "any") for size in rest)
        return f"series of {each} numbers" if each else "series of numbers"
    if prod(size or 2 for size in dims) == 1:
        return "number"
    return " × ".join(str(size or "any") for size in dims) + " numbers"


def several(count: int, kind: str) -> str:
    """So many that are alike.

    >>> several(2, "text"), several(2, "5 numbers"), several(4, "5 numbers")
    ('2 texts', '5 numbers twice', '5 numbers 4 times')
    """
    if kind in PLURALS:
        return f"{count} {PLURALS[kind]}"
    return f"{kind} {TIMES.get(count, f'{count} times')}"
