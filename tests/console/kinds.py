"""Models with what the other tiny ones lack: every control of the form, and names that no page may stumble over.

every  picture (n, 28, 28) uint8, posts (n, 4) int32, age (n,) float32 from 0 to 120 years, matrix (n, 2, 2) float32,
       series (n, 20) float32, note (n, 1) string ─▶ light, words, years, corner and peak, (n, 1) each: the mean pixel
       from 0 to 1, the sum of the ids, the age, the last number of the matrix, the highest of the series; and said,
       the note
v1.2   STRANGE (n, 1) float32 each ─▶ the same numbers under "out " and the name; it has no card
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.service import artifacts

SIDE, WORDS, STEPS = 28, 4, 20
STRANGE = ("a b", 'q"t', "<b>x</b>", "__proto__", "constructor", "a/b", "~t", ".", "0", "a.1", "é🎉", "שלום", "w" * 80)
OUTPUTS = ("light", "words", "years", "corner", "peak")
EXAMPLE: dict[str, Any] = {
    "picture": artifacts.png(np.full((SIDE, SIDE), 51, np.uint8)),
    "posts": "the cat",
    "age": 30,
    "matrix": [[1, 2], [3, 4.5]],
    "series": [step / 2 for step in range(STEPS)],
    "note": "like new",
}


def every(root: Path, name: str = "every", version: int = 1) -> Path:
    """Write the model under `root`; returns its folder."""
    row = {
        "picture": np.full((1, SIDE, SIDE), 51, np.uint8),
        "posts": np.array([[2, 3, 0, 0]], np.int32),
        "age": np.array([30], np.float32),
        "matrix": np.array([[[1, 2], [3, 4.5]]], np.float32),
        "series": np.arange(STEPS, dtype=np.float32)[np.newaxis] / 2,
        "note": np.array([["like new"]], object),
    }
    twin = model()
    folder = artifacts.write(root / name / str(version), twin, artifacts.twin_answers(twin, [row]), card(name, version))
    (folder / "assets").mkdir()
    words = "".join(f"{word}\n" for word in artifacts.VOCABULARY)
    (folder / "assets" / "posts.vocabulary.txt").write_text(words, encoding="utf-8")
    return folder


def strange(root: Path, name: str = "v1.2", version: int = 1) -> Path:
    """Write the model of strange names under `root`; returns its folder."""
    nodes = [helper.make_node("Identity", [given], [f"out {given}"]) for given in STRANGE]
    taken, told = (
        [helper.make_tensor_value_info(before + given, TensorProto.FLOAT, ["n", 1]) for given in STRANGE]
        for before in ("", "out ")
    )
    twin = artifacts.model(helper.make_graph(nodes, "strange", taken, told))
    row = {given: np.ones((1, 1), np.float32) for given in STRANGE}
    return artifacts.write(root / name / str(version), twin, artifacts.twin_answers(twin, [row]))


def model() -> onnx.ModelProto:
    """An output per input."""
    nodes = [
        helper.make_node("Cast", ["picture"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "places"], ["mean"], keepdims=0),
        helper.make_node("Div", ["mean", "white"], ["share"]),
        helper.make_node("Unsqueeze", ["share", "last"], ["light"]),
        helper.make_node("Cast", ["posts"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["ids", "last"], ["words"]),
        helper.make_node("Unsqueeze", ["age", "last"], ["years"]),
        helper.make_node("Reshape", ["matrix", "flat"], ["row"]),
        helper.make_node("Slice", ["row", "third", "fourth", "last"], ["corner"]),
        helper.make_node("ReduceMax", ["series", "last"], ["peak"]),
        helper.make_node("Identity", ["note"], ["said"]),
    ]
    number = TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", SIDE, SIDE]),
        helper.make_tensor_value_info("posts", TensorProto.INT32, ["n", WORDS]),
        helper.make_tensor_value_info("age", number, ["n"]),
        helper.make_tensor_value_info("matrix", number, ["n", 2, 2]),
        helper.make_tensor_value_info("series", number, ["n", STEPS]),
        helper.make_tensor_value_info("note", TensorProto.STRING, ["n", 1]),
    ]
    outputs = [helper.make_tensor_value_info(name, number, ["n", 1]) for name in OUTPUTS]
    outputs.append(helper.make_tensor_value_info("said", TensorProto.STRING, ["n", 1]))
    constants = {"places": [1, 2], "last": [1], "flat": [-1, 4], "third": [3], "fourth": [4]}
    held = [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()]
    return artifacts.model(
        helper.make_graph(nodes, "every", inputs, outputs, [*held, numpy_helper.from_array(np.float32(255), "white")])
    )


def card(name: str, version: int) -> dict[str, Any]:
    """Its card.json."""
    numbers = {"kind": "numbers", "unit": None, "minimum": None, "maximum": None, "max_length": 1000}
    inputs: dict[str, dict[str, Any]] = {
        "picture": {"kind": "image", "title": "Picture", "height": SIDE, "width": SIDE, "channels": 1},
        "posts": {
            "kind": "tokens",
            "title": "Posts",
            "words": len(artifacts.VOCABULARY),
            "pad_id": 0,
            "unknown_id": 1,
            "length": WORDS,
            "max_length": 1000,
            "vocabulary": "assets/posts.vocabulary.txt",
        },
        "age": {**numbers, "title": "Age", "dims": [], "unit": "years", "minimum": 0, "maximum": 120},
        "matrix": {**numbers, "title": "Matrix", "dims": [2, 2]},
        "series": {**numbers, "title": "Series", "dims": [STEPS]},
        "note": {"kind": "text", "title": "Note", "dims": [1]},
    }
    told = {"kind": "number", "unit": None, "minimum": None, "maximum": None}
    return artifacts.card(
        name,
        version,
        "Every kind",
        {name: {**meaning, "example": EXAMPLE[name]} for name, meaning in inputs.items()},
        {name: {**told, "title": name.title()} for name in OUTPUTS},
    )
