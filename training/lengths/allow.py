"""A twin that may take rows of different lengths, if it can."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.golden import Group
from training.lengths import verify
from training.lengths.probe import probe
from training.lengths.rewrite import length_input, rewrite
from training.lengths.session import run

METADATA = "manifold.lengths"
"""The key in the ONNX file: a JSON object from an input to the input of its rows' lengths."""


def allow(path: Path, groups: Sequence[Group]) -> list[str]:
    """Let rows of different lengths share a batch of the twin in `path`; the inputs for which they may.

    None, and the file as it was, where rows would not be answered as alone, or an answer itself has steps.
    """
    import onnx

    proto = onnx.load(path)
    names = open_ended(proto)
    rows = [
        {name: array[place] for name, array in group.inputs.items()}
        for group in groups
        for place in range(len(group.places))
    ]
    if not names:
        return []
    try:
        seen = probe(proto, {name: array[:1] for name, array in groups[0].inputs.items()}, names)
        if any(seen[output.name].time is not None for output in proto.graph.output):
            return []
        made = rewrite(proto, seen, names)
        worst = verify.difference(run(proto), run(made), rows, names)
    except Exception:  # A graph that does not run at every length, each with an error of its own.
        return []
    if not worst <= verify.TOLERANCE:
        return []
    made.metadata_props.add(key=METADATA, value=json.dumps({name: length_input(name) for name in names}))
    path.write_bytes(made.SerializeToString())
    return names


def open_ended(proto: Any) -> list[str]:
    """The inputs (n, t, …) of which only the rows and the steps are any number."""
    import onnx

    names = []
    for tensor in proto.graph.input:
        shape = [size.dim_value for size in tensor.type.tensor_type.shape.dim]
        text = tensor.type.tensor_type.elem_type == onnx.TensorProto.STRING
        if len(shape) > 1 and shape[:2] == [0, 0] and all(shape[2:]) and not text:
            names.append(tensor.name)
    return names
