"""Every form a request may have on the wire, and what stands in its answer.

An answer is read to plain values: `raw`, the model's own numbers, flat, by output; or `told`, as the card reads them.
"""

import io
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np

from loadtest.bench.forms import flat

DATATYPES = {"b": "BOOL", "i": "INT", "u": "UINT", "f": "FP", "O": "BYTES"}
BINARY = "Inference-Header-Content-Length"
JSON = "application/json"
WORDS = "?top=0"
"""Only the best label: the next ones may be as good as equal, and change places."""

Tensors = Mapping[str, "np.ndarray[Any, Any]"]
Headers = Mapping[str, str]


@dataclass(frozen=True)
class Rows:
    """What is asked: rows of JSON values, the same as the model's own tensors, and of which model and version."""

    model: str
    version: int | None
    values: Sequence[Mapping[str, Any]]
    tensors: Tensors
    head: str = ""
    """The output whose labels are asked for."""


@dataclass(frozen=True)
class Form:
    """`write` makes path, headers and body; `read` finds the values in an answer's headers and body."""

    write: Callable[[Rows], tuple[str, Headers, bytes]]
    read: Callable[[Headers, bytes, Sequence[str]], Any]
    says: str = "raw"
    """What stands in the answer: "raw", "told", or of one output the "classes"."""
    tensors: bool = False
    """Whether rows must be of one shape."""


def native(rows: Rows) -> tuple[str, Headers, bytes]:
    values: Any = list(rows.values) if len(rows.values) > 1 else rows.values[0]
    return predict(rows), {"Content-Type": JSON}, json.dumps(values).encode()


def packed(rows: Rows) -> tuple[str, Headers, bytes]:
    values: Any = list(rows.values) if len(rows.values) > 1 else rows.values[0]
    return predict(rows), {"Content-Type": "application/msgpack"}, msgpack.packb(values)


def zipped(rows: Rows) -> tuple[str, Headers, bytes]:
    with io.BytesIO() as file:
        np.savez(file, **rows.tensors)
        return predict(rows), {"Content-Type": "application/x-npz"}, file.getvalue()


def predict(rows: Rows) -> str:
    """The native path."""
    return f"/predict/{rows.model}{WORDS}" + (f"&version={rows.version}" if rows.version else "")


def instances(rows: Rows) -> tuple[str, Headers, bytes]:
    return tensorflow_serving(rows), {"Content-Type": JSON}, json.dumps({"instances": list(rows.values)}).encode()


def columns(rows: Rows) -> tuple[str, Headers, bytes]:
    inputs = {name: array.tolist() for name, array in rows.tensors.items()}
    return tensorflow_serving(rows), {"Content-Type": JSON}, json.dumps({"inputs": inputs}).encode()


def examples(rows: Rows) -> tuple[str, Headers, bytes]:
    body = json.dumps({"signature_name": rows.head, "examples": list(rows.values)}).encode()
    return tensorflow_serving(rows, "classify"), {"Content-Type": JSON}, body


def tensorflow_serving(rows: Rows, verb: str = "predict") -> str:
    """The path under /v1."""
    return f"/v1/models/{rows.model}" + (f"/versions/{rows.version}" if rows.version else "") + f":{verb}"


def described(rows: Rows) -> list[dict[str, Any]]:
    """The Open Inference Protocol's names, shapes and datatypes."""
    return [
        {"name": name, "shape": list(array.shape), "datatype": datatype(array.dtype)}
        for name, array in rows.tensors.items()
    ]


def datatype(dtype: "np.dtype[Any]") -> str:
    """A dtype's name there.

    >>> datatype(np.dtype("int32")), datatype(np.dtype("O"))
    ('INT32', 'BYTES')
    """
    name = DATATYPES[dtype.kind]
    return name if dtype.kind in "bO" else f"{name}{8 * dtype.itemsize}"


def open_inference(rows: Rows) -> str:
    """The path under /v2."""
    return f"/v2/models/{rows.model}" + (f"/versions/{rows.version}" if rows.version else "") + "/infer"


def in_json(rows: Rows) -> tuple[str, Headers, bytes]:
    inputs = [
        {**one, "data": flat(array.tolist())} for one, array in zip(described(rows), rows.tensors.values(), strict=True)
    ]
    return open_inference(rows), {"Content-Type": JSON}, json.dumps({"inputs": inputs}).encode()


def in_binary(rows: Rows) -> tuple[str, Headers, bytes]:
    parts = [to_bytes(array) for array in rows.tensors.values()]
    inputs = [
        {**one, "parameters": {"binary_data_size": len(part)}} for one, part in zip(described(rows), parts, strict=True)
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", BINARY: str(len(head))}
    return open_inference(rows), headers, head + b"".join(parts)


def to_bytes(array: "np.ndarray[Any, Any]") -> bytes:
    """A tensor's bytes; a string's come behind their number."""
    if array.dtype.kind != "O":
        return array.tobytes()
    return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in array.ravel())


def read_json(_headers: Headers, body: bytes, _names: Sequence[str]) -> Any:
    return listed(json.loads(body))


def read_packed(_headers: Headers, body: bytes, _names: Sequence[str]) -> Any:
    return listed(msgpack.unpackb(body, object_hook=opened))


def opened(value: Any) -> Any:
    """A map of dtype, shape and bytes as nested numbers, any other as it is."""
    if value.keys() != {"dtype", "shape", "data"}:
        return value
    return np.frombuffer(value["data"], value["dtype"]).reshape(value["shape"]).tolist()


def listed(answer: Any) -> Any:
    """The rows of an answer; one row comes alone."""
    return answer if isinstance(answer, list) else [answer]


def read_zipped(_headers: Headers, body: bytes, _names: Sequence[str]) -> Any:
    with np.load(io.BytesIO(body)) as archive:
        return {name: flat(archive[name].tolist()) for name in archive.files}


def read_rows(_headers: Headers, body: bytes, names: Sequence[str]) -> Any:
    rows = json.loads(body)["predictions"]
    named = [row if isinstance(row, dict) else {names[0]: row} for row in rows]
    return {name: flat([row[name] for row in named]) for name in names}


def read_columns(_headers: Headers, body: bytes, names: Sequence[str]) -> Any:
    outputs = json.loads(body)["outputs"]
    return {
        name: flat(value) for name, value in (outputs if isinstance(outputs, dict) else {names[0]: outputs}).items()
    }


def read_classes(_headers: Headers, body: bytes, _names: Sequence[str]) -> Any:
    return json.loads(body)["results"]


def read_tensors(_headers: Headers, body: bytes, _names: Sequence[str]) -> Any:
    return {output["name"]: output["data"] for output in json.loads(body)["outputs"]}


def read_binary(headers: Headers, body: bytes, _names: Sequence[str]) -> Any:
    at = int(headers[BINARY.lower()])
    found = {}
    for output in json.loads(body[:at])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        dtype = {"FP32": "<f4", "FP64": "<f8", "INT64": "<i8", "INT32": "<i4"}[output["datatype"]]
        found[output["name"]] = np.frombuffer(body[at : at + size], dtype).tolist()
        at += size
    if at != len(body):
        raise ValueError(f"{len(body) - at} bytes behind the last tensor")
    return found


FORMS = {
    "native": Form(native, read_json, says="told"),
    "msgpack": Form(packed, read_packed, says="told"),
    "npz": Form(zipped, read_zipped, tensors=True),
    "tfs-rows": Form(instances, read_rows),
    "tfs-columns": Form(columns, read_columns, tensors=True),
    "tfs-classify": Form(examples, read_classes, says="classes"),
    "v2-json": Form(in_json, read_tensors, tensors=True),
    "v2-binary": Form(in_binary, read_binary, tensors=True),
}
