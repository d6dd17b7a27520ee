"""Valid bodies of the models, in every dialect and form: where the noise begins. The first byte says of which model."""

import io
import json
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

from service.dialects.oip.binary import to_bytes
from service.dialects.oip.tensors import datatype
from service.grpc.messages import message
from service.grpc.tensors import write
from service.handle import ModelHandle
from service.tensors import Array
from tests.fuzz.models import handles, rows

PredictRequest = message("tensorflow.serving.PredictRequest")
ClassificationRequest = message("tensorflow.serving.ClassificationRequest")


def tensors() -> list[dict[str, Array]]:
    """A row of each model as the engine takes it, with its axis of rows."""
    found = []
    for handle, row in zip(handles(), rows(), strict=True):
        loaded = handle.rows.load([row])[0]
        found.append({name: array[np.newaxis] for name, array in loaded.items()})
    return found


def marked(bodies: list[bytes]) -> list[bytes]:
    """Each behind the number of its model."""
    return [bytes([number]) + body for number, body in enumerate(bodies)]


def dumped(make: Callable[[dict[str, Any]], Any]) -> list[bytes]:
    return marked([json.dumps(make(row)).encode() for row in rows()])


def native() -> list[bytes]:
    return dumped(lambda row: row) + dumped(lambda row: [row, row])


def instances() -> list[bytes]:
    bare = dumped(lambda row: {"instances": [next(iter(row.values()))]})
    return dumped(lambda row: {"signature_name": "serving_default", "instances": [row, row]}) + bare


def inputs() -> list[bytes]:
    return dumped(lambda row: {"inputs": {name: [value, value] for name, value in row.items()}})


def examples() -> list[bytes]:
    flat = dumped(lambda row: {"examples": [{name: np.ravel(value).tolist() for name, value in row.items()}]})
    return flat + dumped(lambda row: {"context": row, "examples": [{}, row, {"text": {"b64": "Y2F0"}}]})


def packed() -> list[bytes]:
    def tensor(array: Array) -> Any:
        if array.dtype.kind == "O":
            return array.tolist()
        return {"dtype": array.dtype.name, "shape": list(array.shape), "data": array.tobytes()}

    whole = [msgpack.packb({name: tensor(array) for name, array in row.items()}) for row in tensors()]
    single = [msgpack.packb([{name: tensor(array[0, ...]) for name, array in row.items()}]) for row in tensors()]
    return marked([msgpack.packb(row) for row in rows()]) + marked(whole) + marked(single)


def files() -> list[bytes]:
    found = []
    for save in (np.savez, np.savez_compressed):
        for row in tensors():
            file = io.BytesIO()
            save(file, **{name: array.astype("U") if array.dtype.kind == "O" else array for name, array in row.items()})
            found.append(file.getvalue())
    return marked(found[: len(handles())]) + marked(found[len(handles()) :])


def described(array: Array, name: str) -> dict[str, Any]:
    return {"name": name, "datatype": datatype(array.dtype), "shape": list(array.shape)}


def inferences() -> list[bytes]:
    """After the model's number two bytes for the length of the JSON; 0 is none."""
    plain, binary = [], []
    for handle, row in zip(handles(), tensors(), strict=True):
        head = {"inputs": [{**described(array, name), "data": array.ravel().tolist()} for name, array in row.items()]}
        plain.append(json.dumps({"id": "1", **head, "outputs": outputs(handle)}).encode())
        chunks = [to_bytes(array) for array in row.values()]
        tensors_ = [
            {**described(array, name), "parameters": {"binary_data_size": len(chunk)}}
            for (name, array), chunk in zip(row.items(), chunks, strict=True)
        ]
        text = json.dumps({"inputs": tensors_, "parameters": {"binary_data_output": True}}).encode()
        binary.append(len(text).to_bytes(2, "big") + text + b"".join(chunks))
    return marked([b"\0\0" + body for body in plain]) + marked(binary)


def outputs(handle: ModelHandle) -> list[Any]:
    return [{"name": name, "parameters": {"binary_data": False}} for name in handle.signature.outputs]


def messages() -> list[bytes]:
    found = []
    for handle, row in zip(handles(), tensors(), strict=True):
        request = PredictRequest()
        request.model_spec.name = handle.model
        for name, array in row.items():
            write(array, request.inputs[name])
        found.append(request.SerializeToString())
    return marked(found)


def classifications() -> list[bytes]:
    request = ClassificationRequest()
    request.model_spec.name = "toy"
    feature = request.input.example_list.examples.add().features.feature
    feature["text"].bytes_list.value.append(b"the cat")
    feature["numbers"].float_list.value.extend([1, 2, 3])
    return marked([request.SerializeToString()])
