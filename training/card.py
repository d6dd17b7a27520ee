"""The card: what TensorFlow cannot say about a model, as JSON. service/card.schema.json is its contract."""

import json
import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema

from training.encode import Encoder
from training.studies.finding import Finding
from training.task import Category, Image, Input, Number, Numbers, Output, Probabilities, Probability, Tokens
from training.twin.make import Verdict
from training.twin.reduce import Reduced
from training.words import PAD_ID, UNKNOWN_ID

FORMAT = 1
ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "service" / "card.schema.json"


@dataclass(frozen=True)
class Provenance:
    """Where the weights come from. `rows` per split, `epochs` as made, wall `seconds` from the start to the export."""

    data: str
    rows: Mapping[str, int]
    seed: int
    preset: str
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Origin:
    """Of a model that was not trained here: its file, the rows it was tried on, seconds as above."""

    file: str
    data: str
    seconds: float


@dataclass(frozen=True)
class Verified:
    """What was checked on the finished files, and on how many rows."""

    rows: int
    twin: Verdict
    batch_difference: float
    reduced: Reduced | None = None
    """None if no twin of reduced precision was tried."""


@dataclass(frozen=True)
class Card:
    """Everything a card tells; figures and shares as `evaluate` and `losses` give them."""

    model: str
    number: int
    title: str
    description: str
    parameters: int
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    provenance: Provenance | Origin
    verified: Verified
    metrics: Mapping[str, Any] = field(default_factory=dict)
    losses: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    distribution: Mapping[str, Any] | None = None
    """As `distribution` measures it; None says nothing of it."""

    def document(self) -> dict[str, Any]:
        """The card as JSON; jsonschema.ValidationError if it breaks its contract."""
        created = {"created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "versions": versions()}
        document = {
            "format": FORMAT,
            "model": self.model,
            "version": self.number,
            "title": self.title,
            "description": self.description,
            "parameters": self.parameters,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "provenance": asdict(self.provenance) | created,
            "metrics": dict(self.metrics),
            "losses": dict(self.losses),
            "findings": [asdict(finding) for finding in self.findings],
            **({"distribution": dict(self.distribution)} if self.distribution else {}),
            "verified": {
                "rows": self.verified.rows,
                "twin": asdict(self.verified.twin),
                "batch_invariance": {"largest_difference": self.verified.batch_difference},
                **({"reduced": asdict(self.verified.reduced)} if self.verified.reduced else {}),
            },
        }
        jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")), jsonschema.Draft202012Validator)
        return document


def versions() -> dict[str, str]:
    """What ran: Python, the libraries that shape an artifact, and Manifold itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    libraries = {name: version(name) for name in ("tensorflow", "keras", "tf2onnx")}
    return {"python": platform.python_version(), **libraries, "manifold": project["version"]}


def vocabulary_file(name: str) -> str:
    """Where an input's words lie, from the version's folder."""
    return f"assets/{name}.vocabulary.txt"


def inputs(encoder: Encoder) -> dict[str, dict[str, Any]]:
    """What the card says of every input."""
    return {
        name: {**_input(name, spec, encoder), "example": _example(name, encoder)}
        for name, spec in encoder.task.inputs.items()
    }


def outputs(encoder: Encoder) -> dict[str, dict[str, Any]]:
    """What the card says of every output."""
    return {name: _output(name, output, encoder) for name, output in encoder.task.outputs.items()}


def _input(name: str, spec: Input, encoder: Encoder) -> dict[str, Any]:
    match spec:
        case Tokens():
            return {
                "kind": "tokens",
                "title": spec.title,
                "words": spec.words,
                "pad_id": PAD_ID,
                "unknown_id": UNKNOWN_ID,
                "length": spec.length,
                "max_length": spec.max_length,
                "vocabulary": vocabulary_file(name),
            }
        case Numbers():
            return _numbers(spec) | {"max_length": spec.max_length}
        case Image():
            return {"kind": "image", **asdict(spec)}
        case Category():
            return {"kind": "category", "title": spec.title, "labels": list(encoder.labels[name])}


def _example(name: str, encoder: Encoder) -> Any:
    """The task's own, or a label that was learnt if that is none."""
    example, labels = encoder.task.example[name], encoder.labels.get(name)
    return example if labels is None or example in labels else labels[0]


def _output(name: str, output: Output, encoder: Encoder) -> dict[str, Any]:
    match output:
        case Number():
            return {"kind": "number", "title": output.title, "unit": output.unit} | _bounds(output)
        case Numbers():
            return _numbers(output)
        case Probability() | Probabilities():
            return _labelled(output) | {"labels": list(encoder.labels[name]), "threshold": output.threshold}


def _labelled(output: Probability | Probabilities) -> dict[str, Any]:
    if isinstance(output, Probability):
        return {"kind": "probability", "title": output.title}
    return {"kind": "probabilities", "title": output.title, "otherwise": output.otherwise}


def _numbers(spec: Numbers) -> dict[str, Any]:
    return {"kind": "numbers", "title": spec.title, "dims": list(spec.dims), "unit": spec.unit} | _bounds(spec)


def _bounds(spec: Number | Numbers) -> dict[str, Any]:
    return {"minimum": spec.minimum, "maximum": spec.maximum}
