"""The SavedModel: one graph, asked with ids ("serving_default") or, where inputs are words, with strings ("text").

ids  (n, t) ──────────────────────────────▶ model ─▶ outputs by name
text (n,)   ─ TextVectorization, in graph ─▶ model ─▶ the same outputs

Inputs that are no words, (n, *dims), are the same in both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.engines.saved_model import spec
from service.signature import Signature
from training.encode import Encoder, tokens
from training.golden import Tensors
from training.mistakes import Mistake

IDS, TEXT = "serving_default", "text"


def specs(encoder: Encoder) -> list[Any]:
    """The `tf.TensorSpec` of each input of "serving_default", in the task's order."""
    return [tf.TensorSpec((None, *spec.dims), spec.dtype, name=name) for name, spec in encoder.task.inputs.items()]


def write(model: Any, encoder: Encoder, folder: Path) -> None:
    """Write the signatures into `folder`."""
    names, texts = list(encoder.task.inputs), list(tokens(encoder.task))
    vectorise = {name: _vectorisation(encoder, name) for name in texts}
    for layer in vectorise.values():
        layer(tf.constant(["built before it is traced"]))

    def from_ids(*tensors: Any) -> Any:
        return model(dict(zip(names, tensors, strict=True)), training=False)

    def from_text(*tensors: Any) -> Any:
        given = dict(zip(names, tensors, strict=True))
        return model(given | {name: vectorise[name](given[name]) for name in texts}, training=False)

    endpoints = {IDS: (from_ids, specs(encoder))}
    if texts:
        strings = {name: tf.TensorSpec((None,), tf.string, name=name) for name in texts}
        endpoints[TEXT] = (from_text, [strings.get(spec.name, spec) for spec in specs(encoder)])
    write_endpoints([model, *vectorise.values()], endpoints, folder)


def write_endpoints(
    layers: Sequence[Any], endpoints: Mapping[str, tuple[Callable[..., Any], Any]], folder: Path
) -> None:
    """Write functions, by the names of their signatures and with their `tf.TensorSpec`s, over these layers' weights."""
    archive = keras.export.ExportArchive()
    for layer in layers:
        archive.track(layer)
    for name, (function, inputs) in endpoints.items():
        archive.add_endpoint(name, function, input_signature=inputs)
    archive.write_out(str(folder), verbose=False)


@dataclass(frozen=True)
class Loaded:
    """A signature of the written files: a function from input tensors to output arrays by name."""

    function: Any
    model: Any
    """Stays alive here: TensorFlow frees a model's variables with it."""

    @property
    def signature(self) -> Signature:
        """As the service sees it."""
        sides = self.function.structured_input_signature[1], self.function.structured_outputs
        return Signature(*({name: spec(name, side[name]) for name in sorted(side)} for side in sides))

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return sum(int(np.prod(variable.shape)) for variable in self.function.variables)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Tensors:
        given = {name: tf.constant(value) for name, value in inputs.items()}
        return {name: np.asarray(value) for name, value in self.function(**given).items()}


def load(folder: Path, signature: str = IDS) -> Loaded:
    """The written files; Mistake if there is no such signature."""
    model = tf.saved_model.load(str(folder))
    if signature not in model.signatures:
        found = ", ".join(model.signatures) or "none"
        raise Mistake(f"the SavedModel has no signature {signature!r} (found: {found})")
    return Loaded(model.signatures[signature], model)


def _vectorisation(encoder: Encoder, name: str) -> Any:
    return keras.layers.TextVectorization(
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        output_sequence_length=tokens(encoder.task)[name].length,
        vocabulary=encoder.vocabularies[name][2:],
        name=f"{name}_words",
    )
