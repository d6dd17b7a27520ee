"""What Classify and Regress of TensorFlow Serving mean here, by the card: one output's labels and scores, or its value.

The output is the model's only one, or, of several, the one that the signature names.
"""

from collections.abc import Sequence

import numpy as np

from service.dialects.tfs.errors import Malformed
from service.handle import ModelHandle
from service.outputs import NumberOutput, ProbabilitiesOutput, ProbabilityOutput
from service.tensors import Array

CLASSIFY = "classification", "classify", "a probability or probabilities"
REGRESS = "regression", "regress", "a number"


def classes(handle: ModelHandle, signature: str) -> tuple[str, Sequence[str]]:
    """The output whose labels are the classes, and these; Malformed if the model has none, or too many."""
    name = head(handle, signature)
    match handle.card.outputs.get(name):
        case ProbabilityOutput(labels=labels) | ProbabilitiesOutput(labels=labels):
            return name, labels
        case _:
            raise unsuited(*CLASSIFY)


def scores(values: Array) -> Array:
    """Probabilities, (rows, classes), of an output's rows: one probability is that of the second of two classes.

    >>> scores(np.array([[0.25]])).tolist()
    [[0.75, 0.25]]
    """
    values = values.reshape(len(values), -1)
    return values if values.shape[1] > 1 else np.concatenate([values.dtype.type(1) - values, values], axis=1)


def number(handle: ModelHandle, signature: str) -> str:
    """The output that is one number; Malformed if the model has none, or too many."""
    name = head(handle, signature)
    if not isinstance(handle.card.outputs.get(name), NumberOutput):
        raise unsuited(*REGRESS)
    return name


def head(handle: ModelHandle, signature: str) -> str:
    """The output that a signature means, "" if that cannot be said."""
    outputs = list(handle.signature.outputs)
    if signature in outputs:
        return signature
    return outputs[0] if len(outputs) == 1 else ""


def unsuited(kind: str, method: str, meaning: str) -> Malformed:
    """As their server says it, and why."""
    return Malformed(
        f"Expected {kind} signature method_name to be tensorflow/serving/{method}. Was: tensorflow/serving/predict; "
        f"here {method} answers the only output, or the one that signature_name names, if its card calls it {meaning}"
    )
