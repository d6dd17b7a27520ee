"""The signatures that TensorFlow Serving's clients find in a model's metadata, over REST and gRPC alike."""

from dataclasses import replace

import numpy as np

from service.card import TokensInput
from service.dialects.tfs.errors import DEFAULT, WORDS
from service.handle import ModelHandle
from service.signature import Signature, TensorSpec


def known(handle: ModelHandle) -> dict[str, Signature]:
    """What Predict takes and gives by signature: the model's own, and, where an input is text, that of strings."""
    own = handle.signature
    if not handle.card.has_words:
        return {DEFAULT: own}
    inputs = {name: as_string(handle, spec) for name, spec in own.inputs.items()}
    return {DEFAULT: own, WORDS: replace(own, inputs=inputs)}


def as_string(handle: ModelHandle, spec: TensorSpec) -> TensorSpec:
    """A string per row, where the input is text; else as it is."""
    if not isinstance(handle.card.inputs.get(spec.name), TokensInput):
        return spec
    return replace(spec, dtype=np.dtype(object), shape=spec.shape[:1])
