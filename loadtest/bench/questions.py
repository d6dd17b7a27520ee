"""Requests of every kind for a running service's models: all dialects, one row and several, of mixed lengths."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import requests as http

from loadtest import rows
from loadtest.bench.client import post
from loadtest.bench.forms import tensors

MOST_ROWS = 4
DIALECTS = ("native", "tensorflow-serving", "open-inference")


def every(url: str, each: int, rng: random.Random) -> list[bytes]:
    """`each` requests of every model in every dialect that takes its inputs, in an order drawn by chance."""
    found = []
    for model in http.get(f"{url}/models", timeout=10).json():
        details = http.get(f"{url}/models/{model['name']}", timeout=10).json()
        for _ in range(each):
            found += of_model(model["name"], details, rng)
    rng.shuffle(found)
    return found


def of_model(name: str, details: rows.Details, rng: random.Random) -> Iterator[bytes]:
    """A request in each dialect."""
    several = [rows.row(details, rng, ids=False) for _ in range(rng.randint(1, MOST_ROWS))]
    yield posted(f"/predict/{name}", several if len(several) > 1 else several[0])
    yield posted(f"/v1/models/{name}:predict", {"instances": [rows.row(details, rng, ids=True)]})
    if plain(details):
        yield posted(f"/v2/models/{name}/infer", tensors("1", rows.row(details, rng, ids=True), inputs(details)))


def plain(details: rows.Details) -> bool:
    """Whether every input is numbers as they are sent, for which the Open Inference Protocol has a form."""
    return all(
        spec["kind"] == "numbers" or (spec["kind"] == "tokens" and spec["length"] is None)
        for spec in details["card"].get("inputs", {}).values()
    )


def inputs(details: rows.Details) -> dict[str, Any]:
    """The dtypes of a signature's inputs."""
    return {name: {"dtype": spec["dtype"]} for name, spec in details["signature"]["inputs"].items()}


def posted(path: str, body: Any) -> bytes:
    """A request in JSON."""
    return post(path, json.dumps(body).encode())


def apart(expected: Any, actual: Any) -> float:
    """How far two JSON answers are apart: of numbers above 1 relative to them; infinite if anything else differs.

    >>> apart({"age": {"value": 50.0, "unit": "years"}}, {"age": {"value": 51.0, "unit": "years"}})
    0.02
    >>> apart([1, "a"], [1, "b"]), apart([1, 2], [1])
    (inf, inf)
    """
    numbers = (int, float)
    if isinstance(expected, bool) or not isinstance(expected, numbers):
        return apart_inside(expected, actual)
    if not isinstance(actual, numbers):
        return float("inf")
    return abs(actual - expected) / max(1.0, abs(expected))


def apart_inside(expected: Any, actual: Any) -> float:
    """The same of what is no number."""
    if isinstance(expected, dict) and isinstance(actual, dict) and expected.keys() == actual.keys():
        return apart_all(list(expected.values()), [actual[name] for name in expected])
    if isinstance(expected, list) and isinstance(actual, list):
        return apart_all(expected, actual)
    return 0.0 if expected == actual else float("inf")


def apart_all(expected: Sequence[Any], actual: Sequence[Any]) -> float:
    """The largest of their items' distances; infinite if there are not as many."""
    if len(expected) != len(actual):
        return float("inf")
    return max((apart(one, other) for one, other in zip(expected, actual, strict=True)), default=0.0)
