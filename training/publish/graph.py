"""What the graph of a Keras model says: its names, how it ends, which strings it knows."""

import re
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from training.reports import graph, wiring
from training.saved_model import IDS, write_endpoints

MOST_LABELS = 500


def inputs(model: Any) -> dict[str, Any]:
    """Keras' symbolic tensors by name: the keys of a dict, else the names of its Input layers; no blanks in them."""
    return _named(_structure(model, "input"))


def outputs(model: Any) -> dict[str, Any]:
    """Likewise: keys, else the names of the layers that make them; a second one of a layer gets a number."""
    return _named(_structure(model, "output"))


def _structure(model: Any, side: str) -> Any:
    """Tensors in lists and dicts as the model was made of; a Sequential has one."""
    return getattr(model, f"{side}s")[0] if isinstance(model, keras.Sequential) else getattr(model, side)


def _named(structure: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, tensor in keras.tree.flatten_with_path(structure):
        keys = [key for key in path if isinstance(key, str)]
        name = re.sub(r"[^\w.-]", "_", keys[-1] if keys else _layer(tensor).name, flags=re.ASCII)
        found[name if name not in found else f"{name}_{len(found)}"] = tensor
    return found


def _layer(tensor: Any) -> Any:
    return tensor._keras_history.operation  # noqa: SLF001  Keras has no public way from a tensor to its layer


def write(model: Any, folder: Path) -> None:
    """The SavedModel, whose signature has these names."""
    given, said = inputs(model), list(outputs(model))
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in given.items()]

    def answer(*tensors: Any) -> Any:
        answers = model(keras.tree.pack_sequence_as(_structure(model, "input"), tensors), training=False)
        return dict(zip(said, keras.tree.flatten(answers), strict=True))

    write_endpoints([model], {IDS: (answer, specs)}, folder)


def activations(model: Any) -> dict[str, str]:
    """The activation that makes each output."""
    return {name: _activation(tensor) for name, tensor in outputs(model).items()}


def _activation(tensor: Any) -> str:
    layer = _layer(tensor)
    if isinstance(layer, keras.Model):
        return _activation(layer.outputs[tensor._keras_history.tensor_index])  # noqa: SLF001  likewise
    made = getattr(layer, "activation", None)
    return str(getattr(made, "__name__", type(layer).__name__.lower()))


def lookups(model: Any) -> dict[str, list[str] | int]:
    """Of inputs that go into nothing but a StringLookup: its strings; into nothing but an Embedding: how many rows."""
    found: dict[str, list[str] | int] = {}
    for name, reader in _readers(model).items():
        if isinstance(reader, keras.layers.Embedding):
            found[name] = reader.input_dim
        elif isinstance(reader, keras.layers.StringLookup) and not reader.invert:
            known = [str(word) for word in reader.get_vocabulary(include_special_tokens=False)]
            if 2 <= len(known) <= MOST_LABELS:
                found[name] = known
    return found


def scaled(model: Any) -> list[str]:
    """Inputs that go into nothing but a Rescaling."""
    return [name for name, reader in _readers(model).items() if isinstance(reader, keras.layers.Rescaling)]


def _readers(model: Any) -> dict[str, Any]:
    """The layer that an input goes into; None where there are several."""
    found = {}
    for name, tensor in inputs(model).items():
        readers = {id(node.operation): node.operation for node in _layer(tensor)._outbound_nodes}  # noqa: SLF001  likewise
        found[name] = next(iter(readers.values())) if len(readers) == 1 else None
    return found


def draw(model: Any, folder: Path) -> list[dict[str, Any]]:
    """The graph of its layers, as a picture in the folder and as a list."""
    graph.draw(model, folder / "layers.png")
    return wiring.listed(wiring.graph(model))
