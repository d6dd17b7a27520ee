"""Real SavedModels for the tests, made with TensorFlow alone; imported only where one is needed."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from tests.service import artifacts


class Toy(tf.Module):
    """The toy model of artifacts.py once more, with the same weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = {name: tf.Variable(array) for name, array in artifacts.toy_weights().items()}

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None), tf.int32, "text"),
            tf.TensorSpec((None, 3), tf.float32, "numbers"),
        ]
    )
    def __call__(self, text: Any, numbers: Any) -> dict[str, Any]:
        mean = tf.reduce_mean(tf.gather(self.weights["words"], text), axis=1)
        joined = tf.concat([mean, numbers], axis=1)
        return {
            "score": joined @ self.weights["score"],
            "mood": tf.nn.softmax(joined @ self.weights["mood"]),
            "sure": tf.nn.sigmoid(joined @ self.weights["sure"]),
        }


def toy(folder: Path) -> Path:
    """Write the toy's SavedModel into an artifact's folder, in place of the empty one."""
    return save(Toy(), folder)


class Greeter(tf.Module):
    """Strings in, strings out."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "name")])
    def __call__(self, name: Any) -> dict[str, Any]:
        return {"greeting": tf.strings.join(["hello ", name])}


class Rankless(tf.Module):
    """An input of unknown rank, and one whose batch axis is fixed."""

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, "any"), tf.TensorSpec((2, 3), tf.float32, "two")])
    def __call__(self, any: Any, two: Any) -> dict[str, Any]:
        return {"sum": tf.reduce_sum(any) + tf.reduce_sum(two, axis=1)}


class Narrow(tf.Module):
    """Twice x, in a dtype that JSON and NumPy know nothing of."""

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.bfloat16, "x")])
    def __call__(self, x: Any) -> dict[str, Any]:
        return {"y": x * 2}


def save(module: tf.Module, folder: Path, signature: str = "serving_default") -> Path:
    tf.saved_model.save(module, str(folder), {signature: module.__call__.get_concrete_function()})
    return folder
