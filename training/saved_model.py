"""The SavedModel: one graph, asked with ids ("serving_default") or, where inputs are words, with strings ("text").

ids  (n, t) ──────────────────────────────▶ model ─▶ outputs by name
text (n,)   ─ TextVectorization, in graph ─▶ model ─▶ the same outputs

Inputs that are no words, (n, *dims), are the same in both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.encode import Encoder, tokens
from training.golden import Run, Tensors

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
    archive = keras.export.ExportArchive()
    archive.track(model)
    for layer in vectorise.values():
        archive.track(layer)

    def from_ids(*tensors: Any) -> Any:
        return model(dict(zip(names, tensors, strict=True)), training=False)

    def from_text(*tensors: Any) -> Any:
        given = dict(zip(names, tensors, strict=True))
        return model(given | {name: vectorise[name](given[name]) for name in texts}, training=False)

    archive.add_endpoint(IDS, from_ids, input_signature=specs(encoder))
    if texts:
        strings = {name: tf.TensorSpec((None,), tf.string, name=name) for name in texts}
        archive.add_endpoint(TEXT, from_text, input_signature=[strings.get(spec.name, spec) for spec in specs(encoder)])
    archive.write_out(str(folder), verbose=False)


def load(folder: Path, signature: str = IDS) -> Run:
    """The written files as a function from input tensors to output arrays by name."""
    loaded = tf.saved_model.load(str(folder))
    function = loaded.signatures[signature]

    def run(inputs: Mapping[str, NDArray[Any]]) -> Tensors:
        # `loaded` stays alive here: TensorFlow frees a model's variables with it.
        assert loaded is not None
        return {name: np.asarray(value) for name, value in function(**_tensors(inputs)).items()}

    return run


def _tensors(inputs: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    return {name: tf.constant(value) for name, value in inputs.items()}


def _vectorisation(encoder: Encoder, name: str) -> Any:
    return keras.layers.TextVectorization(
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        output_sequence_length=tokens(encoder.task)[name].length,
        vocabulary=encoder.vocabularies[name][2:],
        name=f"{name}_words",
    )
