"""The wire forms of servers: a row as the body of a request, and an answer's outputs and the row they belong to.

Every request carries its row's number, in the header X-Request-Id and, where a form has a place for it, in the body;
every server sends it back in one of the two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.bench.reference import Tensors

DATATYPES = {"float32": "FP32", "float64": "FP64", "int32": "INT32", "int64": "INT64", "uint8": "UINT8", "bool": "BOOL"}

Row = Mapping[str, Any]
Outputs = Mapping[str, Any]


@dataclass(frozen=True)
class Form:
    """`write` makes a body of a row's number, the row and the inputs; `read` finds the outputs, by name, in an answer,
    of which it knows the names; `number` finds the row's number in an answer, "" if it stands in the header."""

    write: Callable[[str, Row, Tensors], Any]
    read: Callable[[Any, list[str]], Outputs]
    number: Callable[[Any], str]


def instances(number: str, row: Row, inputs: Tensors) -> Any:
    """TensorFlow Serving's REST API, which most clients of such models speak."""
    return {"instances": [row]}


def predictions(answer: Any, names: list[str]) -> Outputs:
    """One output has no name there.

    >>> predictions({"predictions": [[0.5]]}, ["majority"])
    {'majority': [0.5]}
    """
    (first,) = answer["predictions"]
    return first if isinstance(first, dict) else {names[0]: first}


def tensors(number: str, row: Row, inputs: Tensors) -> Any:
    """The Open Inference Protocol's JSON, its data flat."""
    return {
        "id": number,
        "inputs": [
            {
                "name": name,
                "shape": [1, *shape(value)],
                "datatype": DATATYPES[inputs[name]["dtype"]],
                "data": flat(value),
            }
            for name, value in row.items()
        ],
    }


def outputs(answer: Any, names: list[str]) -> Outputs:
    """The tensors of an Open Inference Protocol answer, flat."""
    return {output["name"]: output["data"] for output in answer["outputs"]}


def plain(number: str, row: Row, inputs: Tensors) -> Any:
    """The row and its number, and nothing else: for servers that leave the form to their users."""
    return {"id": number, "inputs": row}


def named(answer: Any, names: list[str]) -> Outputs:
    """The outputs, as they are."""
    return dict(answer["outputs"])


def shape(value: Any) -> list[int]:
    """Sizes of nested lists.

    >>> shape([[1, 2, 3], [4, 5, 6]]), shape(7)
    ([2, 3], [])
    """
    return [len(value), *shape(value[0])] if isinstance(value, list) else []


def flat(value: Any) -> list[Any]:
    """Numbers of nested lists, in order.

    >>> flat([[1, 2], [3]]), flat(7)
    ([1, 2, 3], [7])
    """
    return [inner for item in value for inner in flat(item)] if isinstance(value, list) else [value]


def in_header(answer: Any) -> str:
    """The number is not in the body."""
    return ""


def in_body(answer: Any) -> str:
    """The number that the body repeats."""
    return str(answer["id"])


FORMS = {
    "tensorflow-serving": Form(instances, predictions, in_header),
    "open-inference": Form(tensors, outputs, in_body),
    "plain": Form(plain, named, in_body),
}
