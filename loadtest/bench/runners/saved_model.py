"""A SavedModel's serving_default on NumPy batches, for the peers' runners. Needs TensorFlow and NumPy only."""

import os
from typing import Any

import numpy as np
import tensorflow as tf

Arrays = dict[str, Any]

WARM = 300
"""Fills unknown sizes of the first, unasked call."""


class SavedModel:
    """The model of the environment's SAVED_MODEL, warm."""

    def __init__(self) -> None:
        self.model = tf.saved_model.load(os.environ["SAVED_MODEL"])
        self.function = self.model.signatures["serving_default"]
        specs = self.function.structured_input_signature[1]
        self.inputs = {name: (spec.dtype.as_numpy_dtype, spec.shape.as_list()[1:]) for name, spec in specs.items()}
        self.run(
            {
                name: np.ones([1, *[WARM if size is None else size for size in dims]], dtype)
                for name, (dtype, dims) in self.inputs.items()
            }
        )

    def run(self, batch: Arrays) -> Arrays:
        """Arrays in, arrays out, by name."""
        outputs = self.function(**{name: tf.constant(batch[name]) for name in self.inputs})
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    def rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows of nested lists in, padded with zeros to the longest; rows out."""
        arrays = {name: [np.asarray(row[name], dtype) for row in rows] for name, (dtype, _) in self.inputs.items()}
        outputs = self.run({name: np.concatenate(padded([row[None] for row in arrays[name]])) for name in arrays})
        return [{name: array[index].tolist() for name, array in outputs.items()} for index in range(len(rows))]


def padded(arrays: list[Any]) -> list[Any]:
    """Arrays of one size beyond axis 0, as each would have to be to share a batch."""
    if len({array.shape[1:] for array in arrays}) == 1:
        return arrays
    top = np.max([array.shape[1:] for array in arrays], axis=0)
    return [
        np.pad(array, [(0, 0), *((0, most - size) for size, most in zip(array.shape[1:], top, strict=True))])
        for array in arrays
    ]
