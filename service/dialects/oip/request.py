"""An inference request of the Open Inference Protocol, read whole: its tensors, what it asks for, and all its faults.

{"id": …, "parameters": {…},
 "inputs":  [{"name", "datatype", "shape", "parameters", "data"}, …],    data may stand behind the JSON instead
 "outputs": [{"name", "parameters"}, …]}                                 absent: all of them, in the model's order
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.dialects.oip.binary import from_bytes
from service.dialects.oip.tensors import datatype, from_json, sizes
from service.errors import Fault, InvalidInput, MalformedBody
from service.handle import ModelHandle
from service.nested import Misfit, show
from service.schemas import MOST_FAULTS, escape
from service.signature import Shape, TensorSpec
from service.tensors import Array
from service.wording import MOST_ECHOED, nearest

TEXT = np.dtype(object)
MOST_AXES = 8
"""Sizes of a wrong shape that an answer repeats."""
VALUES = (str, int, float, bool)

RESERVED = {"binary_data_output", "timeout", "priority", "sequence_id", "sequence_start", "sequence_end"}
"""Parameters of a request that say how to answer it; all others are kept, and stand in the answer again."""

UNSERVED = {
    "shared_memory_region": "shared memory is not served; send the data",
    "classification": "classification is not served; the native dialect names the labels",
}
"""Parameters that would change the answer, and are not served."""


@dataclass(frozen=True)
class Wanted:
    """One output asked for, with the parameters that it keeps."""

    name: str
    binary: bool
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Inference:
    """What a client sent."""

    id: str | None
    parameters: Mapping[str, Any]
    timeout: float | None
    """Seconds the client would wait, if it says so."""
    outputs: list[Wanted]
    inputs: dict[str, Array]
    """Whole tensors, in the request's order: as the signature says, or one string per row of an input on the card."""

    def located(self, error: InvalidInput) -> InvalidInput:
        """Faults that name an input after /inputs, with its place there instead, as JSON has it."""
        places = {escape(name): number for number, name in enumerate(self.inputs)}
        faults = []
        for fault in error.faults:
            _, _, name, rest = fault.pointer.split("/", 3)
            faults.append(Fault(f"/inputs/{places[name]}/{rest}", fault.detail))
        return InvalidInput(faults, error.example)


def read(handle: ModelHandle, document: Any, data: memoryview) -> Inference:
    """A request of JSON and the bytes behind it; MalformedBody, or InvalidInput with every fault."""
    if type(document) is not dict:
        raise MalformedBody(f"expected an object with 'inputs', got {show(document)}")
    return Reader(handle, data).read(document)


class Reader:
    """Reads one request, and gathers its faults on the way."""

    def __init__(self, handle: ModelHandle, data: memoryview) -> None:
        self.handle = handle
        self.data = data
        self.faults: list[Fault] = []

    def read(self, document: Mapping[str, Any]) -> Inference:
        parameters = self.parameters(document, "")
        given = self.typed(document, "id", str, "a string")
        timeout = self.timeout(parameters)
        binary = self.flag(parameters, "binary_data_output", "", default=False)
        outputs = self.outputs(self.typed(document, "outputs", list, "a list of outputs"), binary)
        inputs = self.inputs(document.get("inputs"))
        if self.faults:
            raise InvalidInput(self.faults, self.handle.rows.example)
        kept = {name: value for name, value in parameters.items() if name not in RESERVED}
        return Inference(given, kept, timeout, outputs, inputs)

    def fault(self, place: str, detail: str) -> None:
        """One more; with as many as an answer names, InvalidInput: a body may have a million."""
        self.faults.append(Fault(place, detail))
        if len(self.faults) == MOST_FAULTS:
            raise InvalidInput(self.faults, self.handle.rows.example)

    def typed(self, document: Mapping[str, Any], key: str, kind: type, expected: str) -> Any:
        """An optional member; null is none."""
        value = document.get(key)
        if value is not None and type(value) is not kind:
            self.fault(f"/{key}", f"expected {expected}, got {show(value)}")
            return None
        return value

    def parameters(self, of: Mapping[str, Any], place: str) -> dict[str, Any]:
        """The parameters of a request or tensor: strings, numbers, true or false."""
        given = of.get("parameters")
        if given is None:
            return {}
        if type(given) is not dict:
            self.fault(f"{place}/parameters", f"expected an object, got {show(given)}")
            return {}
        for name, value in given.items():
            if name in UNSERVED or type(value) not in VALUES:
                wrong = f"expected a string, a number, true or false, got {show(value)}"
                self.fault(f"{place}/parameters/{escape(name)[:MOST_ECHOED]}", UNSERVED.get(name, wrong))
        return given

    def flag(self, parameters: Mapping[str, Any], name: str, place: str, *, default: bool) -> bool:
        """A parameter that is true or false."""
        value = parameters.get(name, default)
        if type(value) is not bool:
            self.fault(f"{place}/parameters/{name}", f"expected true or false, got {show(value)}")
            return default
        return value

    def timeout(self, parameters: Mapping[str, Any]) -> float | None:
        """Triton's `timeout`, in microseconds, as seconds; 0 is none."""
        value = parameters.get("timeout", 0)
        if type(value) is not int or value < 0:
            self.fault("/parameters/timeout", f"expected microseconds, got {show(value)}")
            return None
        return value / 1e6 or None

    def outputs(self, given: list[Any] | None, binary: bool) -> list[Wanted]:
        """The outputs asked for, in their order; all where none is."""
        if not given:
            return [Wanted(name, binary, {}) for name in self.handle.signature.outputs]
        found: dict[str, Wanted] = {}
        for number, output in enumerate(given):
            place = f"/outputs/{number}"
            name = self.name(output, place, self.handle.signature.outputs, "output")
            if name is None:
                continue
            if name in found:
                self.fault(place, f"output {name!r} is asked for twice")
            parameters = self.parameters(output, place)
            as_bytes = self.flag(parameters, "binary_data", place, default=binary)
            kept = {key: value for key, value in parameters.items() if key != "binary_data"}
            found[name] = Wanted(name, as_bytes, kept)
        return list(found.values())

    def name(self, given: Any, place: str, known: Mapping[str, TensorSpec], side: str) -> str | None:
        """The name of an input or output, if it is one."""
        if type(given) is not dict:
            self.fault(place, f"expected an object with a name, got {show(given)}")
            return None
        name = given.get("name")
        if type(name) is not str:
            self.fault(f"{place}/name", f"expected a string, got {show(name)}" if "name" in given else "missing name")
            return None
        if name not in known:
            hint = nearest(name, list(known), f"{side}s")
            self.fault(place, f"unknown {side} {name[:MOST_ECHOED]!r}{hint}")
            return None
        return name

    def inputs(self, given: Any) -> dict[str, Array]:
        """All tensors by name, in their own order, of equally many rows."""
        if type(given) is not list:
            self.fault("/inputs", f"expected a list of tensors, got {show(given)}")
            return {}
        known = self.handle.signature.inputs
        found: dict[str, Array | None] = {}
        for number, tensor in enumerate(given):
            place, before = f"/inputs/{number}", len(self.faults)
            name = self.name(tensor, place, known, "input")
            chunk = self.chunk(tensor, place) if type(tensor) is dict else None
            if name is None:
                continue
            if name in found:
                self.fault(place, f"input {name!r} is given twice")
            dtype, shape = self.form(known[name], tensor, place)
            found[name] = None
            if len(self.faults) == before:
                found[name] = self.array(tensor.get("data"), chunk, dtype, shape, place)
        for name in known:
            if name not in found:
                self.fault("/inputs", f"missing input {name!r}")
        if len(self.data):
            self.fault("", f"unexpected additional input data: {len(self.data)} bytes behind the last tensor")
        tensors = {name: array for name, array in found.items() if array is not None}
        counts = {name: len(array) for name, array in tensors.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{count} of {name}" for name, count in counts.items())
            self.fault("/inputs", f"expected as many rows of every input, got {told}")
        return tensors

    def chunk(self, tensor: Mapping[str, Any], place: str) -> memoryview | None:
        """The bytes of a tensor, taken off the front of those that are left; None where its data is JSON."""
        parameters = self.parameters(tensor, place)
        if ("data" in tensor) == ("binary_data_size" in parameters):
            self.fault(place, "expected either data or parameters.binary_data_size")
        if "binary_data_size" not in parameters:
            return None
        size = parameters["binary_data_size"]
        if type(size) is not int or size < 0:
            self.fault(f"{place}/parameters/binary_data_size", f"expected a number of bytes, got {show(size)}")
            size = len(self.data)
        if size > len(self.data):
            self.fault(f"{place}/parameters/binary_data_size", f"{size} bytes, but only {len(self.data)} are left")
        chunk, self.data = self.data[:size], self.data[size:]
        return chunk

    def form(self, spec: TensorSpec, given: Mapping[str, Any], place: str) -> tuple[np.dtype[Any], list[int]]:
        """The dtype and shape in which a tensor comes: the signature's, or a string per row of an input on the card."""
        dtype, wanted = spec.dtype, spec.shape
        if given.get("datatype") == "BYTES" and spec.name in self.handle.card.inputs:
            flat = type(given.get("shape")) is list and len(given["shape"]) == 1
            dtype, wanted = TEXT, (None,) if flat else (None, 1)
        if given.get("datatype") != datatype(dtype):
            self.fault(f"{place}/datatype", f"expected {datatype(dtype)}, got {show(given.get('datatype'))}")
        return dtype, self.shape(given.get("shape"), wanted, f"{place}/shape")

    def array(
        self, data: Any, chunk: memoryview | None, dtype: np.dtype[Any], shape: list[int], place: str
    ) -> Array | None:
        """A tensor's elements, from JSON or bytes, if they fit."""
        try:
            return from_json(data, dtype, shape) if chunk is None else from_bytes(chunk, dtype, shape)
        except Misfit as misfit:
            self.fault("/".join([place, "data", *map(str, misfit.path)]), str(misfit))
            return None

    def shape(self, given: Any, wanted: Shape, place: str) -> list[int]:
        """A shape that fits; InvalidInput at once if its rows are too many."""
        fits = (
            type(given) is list
            and len(given) == len(wanted)
            and all(
                type(size) is int and size >= 0 and expected in (None, size)
                for size, expected in zip(given, wanted, strict=True)
            )
        )
        if not fits:
            shown = given if type(given) is list and len(given) <= MOST_AXES else show(given)
            self.fault(place, f"expected {sizes(wanted)}, where -1 is any size, got {shown}")
        elif 0 in given:
            self.fault(place, f"expected at least one row, and no axis of 0, got {given}")
        else:
            self.handle.refuse_too_many(given[0])
        return given if fits else []
