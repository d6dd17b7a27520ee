"""The Open Inference Protocol as a client writes and reads it: JSON, with tensors in it or as bytes behind it."""

import functools
import json
import struct
from typing import Any

import numpy as np
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.handle import ModelHandle
from service.settings import Settings
from service.signature import Signature
from service.tensors import Array
from tests.service import fakes

HEADER = "Inference-Header-Content-Length"

DATATYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
}


def tensor(name: str, datatype: str, array: Any, *, nested: bool = False, **more: Any) -> dict[str, Any]:
    """An input whose data is in the JSON, flat unless nested is asked for."""
    array = np.array(array, DATATYPES[datatype])
    data = array.tolist() if nested else array.ravel().tolist()
    return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": data, **more}


def in_bytes(name: str, datatype: str, shape: list[int], chunk: bytes) -> dict[str, Any]:
    """An input whose data are so many bytes behind the JSON."""
    parameters = {"binary_data_size": len(chunk)}
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": parameters}


def strings(*texts: bytes) -> bytes:
    """Strings as bytes: each behind its length."""
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def infer(client: FlaskClient, model: str, body: Any, *chunks: bytes, **headers: str) -> TestResponse:
    """POST /v2/models/<model>/infer; with bytes behind the JSON, if there are any."""
    head = json.dumps(body).encode()
    length = {HEADER: str(len(head))} if chunks else {}
    return client.post(f"/v2/models/{model}/infer", data=b"".join([head, *chunks]), headers=length | headers)


def outputs(response: TestResponse) -> dict[str, Array]:
    """The tensors of an answer, by name; everything about their sizes is checked on the way."""
    assert response.status_code == 200, response.text
    if HEADER not in response.headers:
        assert response.mimetype == "application/json"
        head, rest = response.data, b""
    else:
        assert response.mimetype == "application/octet-stream"
        length = int(response.headers[HEADER])
        head, rest = response.data[:length], response.data[length:]
    assert response.content_length == len(response.data)
    found = {}
    for output in json.loads(head)["outputs"]:
        dtype, shape = np.dtype(DATATYPES[output["datatype"]]), output["shape"]
        size = output.get("parameters", {}).get("binary_data_size")
        assert (size is None) is ("data" in output)
        if size is None:
            array = np.array(output["data"], dtype)
        elif dtype.kind == "O":
            array = np.array(read_strings(rest[:size]), object)
        else:
            array = np.frombuffer(rest[:size], dtype.newbyteorder("<"))
        rest = rest[size or 0 :]
        found[output["name"]] = array.reshape(shape)
    assert rest == b""
    return found


def read_strings(data: bytes) -> list[bytes]:
    """`strings` undone."""
    found = []
    while data:
        (length,) = struct.unpack_from("<I", data)
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


def error(response: TestResponse, status: int = 400) -> str:
    """The message of a refusal, in the protocol's only shape."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    assert list(response.json) == ["error"]
    return response.json["error"]


def client_of(*handles: ModelHandle, hand: fakes.Hand) -> FlaskClient:
    """A service of ready-made handles."""
    return create_app(Settings(), fakes.catalog(handles), hand.wait).test_client()


def mirror(*tensors: tuple[str, str, tuple[int | None, ...]], hand: fakes.Hand, **more: Any) -> ModelHandle:
    """A model called mirror that gives what it gets: (name, dtype, shape)."""
    specs = fakes.specs(**{name: (dtype, shape) for name, dtype, shape in tensors})
    return fakes.handle(fakes.FakeEngine(Signature(specs, specs), dict, immune=True), hand, name="mirror", **more)


@functools.cache
def mirror_of(dtype: str, rank: int) -> FlaskClient:
    """A service of a mirror of one input, x, of any shape of that rank; the same for all who ask."""
    hand = fakes.Hand()
    return client_of(mirror(("x", dtype, (None,) * rank), hand=hand), hand=hand)
