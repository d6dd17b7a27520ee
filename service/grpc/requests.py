"""What every request names: a model, in a version, and a signature; and the tensors of a PredictRequest."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from service.dialects.bodies.columns import groups
from service.dialects.tfs.errors import Malformed, labelled
from service.errors import Fault, InvalidInput, ModelNotFound, VersionNotFound
from service.grpc.tensors import number, to_array
from service.handle import ModelHandle
from service.nested import Misfit
from service.schemas import MOST_FAULTS, escape
from service.signature import Shape, TensorSpec
from service.tensors import Array, Group
from service.versions.catalog import Catalog
from service.wording import MOST_ECHOED, nearest

TEXT = np.dtype(object)


def target(catalog: Catalog, request: Any) -> tuple[str, int | None]:
    """The model and the version that a request names; Malformed."""
    if not request.HasField("model_spec"):
        raise Malformed("Missing ModelSpec")
    spec = request.model_spec
    if not spec.name:
        raise Malformed("ModelSpec has no name specified.")
    match spec.WhichOneof("version_choice"):
        case "version_label":
            return spec.name, labelled(catalog, spec.name, spec.version_label)
        case "version":
            return spec.name, spec.version.value
        case _:
            return spec.name, None


def find(catalog: Catalog, request: Any) -> ModelHandle:
    """The handle that a request names; its errors in the words of TensorFlow Serving."""
    name, version = target(catalog, request)
    try:
        return catalog.get(name, version)
    except (ModelNotFound, VersionNotFound) as error:
        name = name[:MOST_ECHOED]
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise type(error)(f"Servable not found for request: {asked}") from None


def read(handle: ModelHandle, request: Any, most_bytes: int) -> tuple[list[Group], list[str]]:
    """The rows of a PredictRequest as the batcher takes them, and the outputs it asks for; InvalidInput, all faults."""
    faults: list[Fault] = []
    inputs = read_inputs(handle, request.inputs, most_bytes, faults)
    outputs = list(request.output_filter) or list(handle.signature.outputs)
    faults += islice(wrong_outputs(outputs, list(handle.signature.outputs)), MOST_FAULTS)
    if faults:
        raise InvalidInput(faults[:MOST_FAULTS])
    return groups(handle, inputs, "/inputs/{name}/{row}"), outputs


def read_inputs(
    handle: ModelHandle, given: Mapping[str, Any], most_bytes: int, faults: list[Fault]
) -> dict[str, Array]:
    """Whole tensors by name, in the model's order; what is wrong with them is added to the faults."""
    known = handle.signature.inputs
    strange = (name for name in given if name not in known)
    faults += [Fault(place(name), unknown(name, list(known), "input")) for name in islice(strange, MOST_FAULTS)]
    found: dict[str, Array] = {}
    for name, spec in known.items():
        if name not in given:
            faults.append(Fault(place(name), f"missing input {name!r}"))
            continue
        try:
            found[name] = read_tensor(handle, spec, given[name], most_bytes)
        except Misfit as misfit:
            faults.append(Fault(place(name), str(misfit)))
    counts = {name: len(array) for name, array in found.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} of {name}" for name, count in counts.items())
        faults.append(Fault("/inputs", f"expected as many rows of every input, got {told}"))
    return found


def read_tensor(handle: ModelHandle, spec: TensorSpec, proto: Any, most_bytes: int) -> Array:
    """A tensor as the signature says, or, of an input on the card, one string per row; Misfit.

    InvalidInput at once if its rows are too many.
    """
    for dim in proto.tensor_shape.dim[:1]:
        handle.refuse_too_many(dim.size)
    if proto.dtype != number(TEXT) or spec.name not in handle.card.inputs:
        return to_array(proto, spec.dtype, spec.shape, most_bytes)
    wanted: Shape = (None, 1) if len(proto.tensor_shape.dim) == 2 else (None,)
    return to_array(proto, TEXT, wanted, most_bytes).reshape(-1)


def wrong_outputs(asked: Sequence[str], known: Sequence[str]) -> Iterator[Fault]:
    """The faults of an output filter."""
    seen: set[str] = set()
    for at, name in enumerate(asked):
        if name not in known:
            yield Fault(f"/output_filter/{at}", unknown(name, known, "output"))
        elif name in seen:
            yield Fault(f"/output_filter/{at}", f"output {name!r} is asked for twice")
        seen.add(name)


def place(name: str) -> str:
    """The pointer to an input."""
    return f"/inputs/{escape(name[:MOST_ECHOED])}"


def unknown(name: str, known: Sequence[str], side: str) -> str:
    return f"unknown {side} {name[:MOST_ECHOED]!r}{nearest(name, known, f'{side}s')}"
