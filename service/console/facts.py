"""What pages know of a version: plain data, for templates and, as JSON, for their scripts."""

from collections.abc import Mapping
from typing import Any

from service.console.cards import roles
from service.console.controls import control
from service.handle import ModelHandle
from service.signature import TensorSpec
from service.versions.catalog import Catalog
from service.wording import between

Facts = dict[str, Any]


def facts(handle: ModelHandle, catalog: Catalog) -> Facts:
    """Of one version that answers: its card's words, every input and output, an example row, its limits.

    An input or output that the card does not know has the kind "tensor".
    """
    card, signature = handle.card, handle.signature
    document, versions = card.document, answering(catalog, handle.model)
    return {
        "name": handle.model,
        "version": handle.version,
        "versions": versions,
        "labels": {number: roles(number, catalog.policy(handle.model)) for number in versions},
        "title": card.title or handle.model,
        "description": document.get("description", ""),
        "engine": {"name": handle.engine.name, "device": handle.engine.device},
        "inputs": {name: asked(document.get("inputs", {}), spec) for name, spec in signature.inputs.items()},
        "outputs": {name: described(document.get("outputs", {}), spec) for name, spec in signature.outputs.items()},
        "example": dict(handle.rows.example),
        "distribution": document.get("distribution", {}),
        "most_rows": handle.max_queue_rows,
    }


def answering(catalog: Catalog, model: str) -> list[int]:
    """The versions of a model that answer, newest first; ModelNotFound."""
    return [number for number, served in catalog.versions(model).items() if served.handle is not None]


def asked(told: Mapping[str, Any], spec: TensorSpec) -> Facts:
    """One input, and the control with which people enter it."""
    meaning = described(told, spec)
    return {**meaning, "control": control(meaning), "takes": takes(meaning)}


def takes(described: Facts) -> str:
    """What each of an input's numbers may be, in a sentence; "" of any number.

    >>> takes({"dtype": "float32", "minimum": 0, "maximum": 120, "unit": "years"}), takes({"dtype": "int8"})
    ('A number from 0 to 120 years.', 'A whole number.')
    """
    low, high = described.get("minimum"), described.get("maximum")
    whole = "int" in described["dtype"]
    if not whole and low is None and high is None:
        return ""
    bounds = [] if low is None and high is None else [between(low, high)]
    unit = [described["unit"]] if described.get("unit") else []
    return " ".join(["A whole number" if whole else "A number", *bounds, *unit]) + "."


def described(told: Mapping[str, Any], spec: TensorSpec) -> Facts:
    """One input or output: what the card tells of it, beside its tensor; null is any size."""
    silent = {"kind": "tensor", "title": spec.name}
    meaning = {key: value for key, value in told.get(spec.name, silent).items() if key != "example"}
    return {**meaning, "dtype": spec.type, "dims": list(spec.dims)}
