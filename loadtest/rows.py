"""Rows to ask with, made from a model's own card and signature: texts and ids of mixed length, numbers, pictures."""

import random
from typing import Any

SHORTEST = 5
COMMON_IDS = 400
"""Ids are drawn below this: frequent words, as in real text."""

Details = dict[str, Any]
"""What GET /models/<name> answers."""


def row(details: Details, rng: random.Random, *, ids: bool) -> dict[str, Any]:
    """One row of inputs: words as text, or as ids; every length between a few words and twice the example's."""
    described = details["card"].get("inputs", {})
    return {
        name: value(described[name], spec, rng, ids=ids)
        if name in described
        else numbers(spec["shape"][1:], spec["dtype"], rng)
        for name, spec in details["signature"]["inputs"].items()
    }


def value(described: Details, spec: Details, rng: random.Random, *, ids: bool) -> Any:
    """One input's value as its card describes it; pictures, and numbers within bounds, are the card's example."""
    match described["kind"]:
        case "tokens":
            return words(described, rng, ids=ids)
        case "category":
            return rng.choice(described["labels"])
        case "numbers" if described["minimum"] is None and described["maximum"] is None:
            return numbers(spec["shape"][1:], spec["dtype"], rng)
    return described["example"]


def words(spec: Details, rng: random.Random, *, ids: bool) -> str | list[int]:
    """A text that begins somewhere in the example and goes round it, or as many ids."""
    vocabulary = spec["example"].split()
    longest = min(max(2 * len(vocabulary), 2 * SHORTEST), spec["length"] or spec["max_length"])
    length = rng.randint(min(SHORTEST, longest), longest)
    if ids:
        return [rng.randint(2, min(COMMON_IDS, spec["words"] - 1)) for _ in range(length)]
    start = rng.randrange(len(vocabulary))
    return " ".join(vocabulary[(start + step) % len(vocabulary)] for step in range(length))


def numbers(dims: list[int], dtype: str, rng: random.Random) -> Any:
    """Nested random numbers; an unknown size is between 5 and 30."""
    if dims:
        size = dims[0] if dims[0] > 0 else rng.randint(5, 30)
        return [numbers(dims[1:], dtype, rng) for _ in range(size)]
    return rng.randint(0, 1) if "int" in dtype else round(rng.gauss(0, 1), 4)
