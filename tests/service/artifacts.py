"""Tiny artifacts as training exports them, made without TensorFlow: their ONNX twins are real, their SavedModels empty.

toy    text (n, t) int32 ids of VOCABULARY, numbers (n, 3) float32
       ─▶ score (n, 1) points, mood (n, 3) probabilities, sure (n, 1) probability
shop   photo (n, 4, 6, 3) uint8, fabric (n,) int32 of FABRICS, worn (n, t, 2) float32 from 0 to 1
       ─▶ price (n, 1) euros, size (n, 2) centimetres, style (n, 3) probabilities, "plain" where all are low
slow   spins (n, 1) int64 ─▶ spun (n, 1) float32: the turns of a loop, counted, which takes microseconds each
simple INPUT0, INPUT1 (n, 16) int32 ─▶ OUTPUT0, OUTPUT1 (n, 16) int32: their sum and difference, as Triton's example
half   x (n, 3) float16 ─▶ y (n, 3) float16: twice x
reader words (n, t) int32 of 20 ─▶ read (n, 3) float32: the last state of an LSTM; rows may be of different lengths
echo   x (n, t) strings ─▶ y (n, t) strings: x
"""

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from service.tensors import Array

VOCABULARY = ("", "[UNK]", "the", "cat", "sat", "on", "mat", "good", "bad", "very")
MOODS = ("calm", "happy", "sad")
EXAMPLE = "The cat sat on the mat."
MOST_WORDS = 12

PHOTO = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
FABRICS = ("wool", "cotton", "linen")
STYLES = ("bold", "sporty", "plain")
SURE = 0.6
MOST_DAYS = 5

SPINS = 3_000
"""Turns of the slow model's golden row; a full batch of it takes well over 5 ms, so a thread drives it."""
MOST_SPINS = 10_000_000

OPSET, IR = 18, 10

Weights = dict[str, Array]


def toy(root: Path, name: str = "toy", version: int = 1, golden_off_by: float = 0.0, twin_off_by: float = 0.0) -> Path:
    """Publish a toy version under `root`, perhaps with wrong golden answers or a wrong twin; returns its folder.

    By one rename: servers may look on.
    """
    weights = toy_weights()
    golden = twin_answers(toy_model(weights), toy_rows())
    twin = toy_model(weights | {"score": weights["score"] + np.float32(twin_off_by)})
    draft = write(root / name / f"draft-{version}", twin, golden, toy_card(name, version), golden_off_by)
    (draft / "assets").mkdir()
    (draft / "assets" / "text.vocabulary.txt").write_bytes("".join(f"{word}\n" for word in VOCABULARY).encode())
    return draft.rename(root / name / str(version))


def shop(root: Path, name: str = "shop", version: int = 1) -> Path:
    """Write a shop version under `root`; returns its folder."""
    twin = shop_model()
    return write(root / name / str(version), twin, twin_answers(twin, shop_rows()), shop_card(name, version))


def slow(root: Path, name: str = "slow", version: int = 1) -> Path:
    """Write the slow model under `root`, without a card; returns its folder."""
    twin = slow_model()
    golden = twin_answers(twin, [{"spins": np.array([[SPINS]])}])
    return write(root / name / str(version), twin, golden)


def simple(root: Path, name: str = "simple", version: int = 1) -> Path:
    """Write the simple model under `root`, without a card; returns its folder."""
    twin = simple_model()
    inputs = {"INPUT0": np.arange(16, dtype=np.int32)[np.newaxis], "INPUT1": np.ones((1, 16), np.int32)}
    return write(root / name / str(version), twin, twin_answers(twin, [inputs]))


def half(root: Path, name: str = "half", version: int = 1) -> Path:
    """Write the half model under `root`, without a card; returns its folder."""
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    twin = plain_model(nodes, TensorProto.FLOAT16, 3)
    return write(root / name / str(version), twin, twin_answers(twin, [{"x": np.ones((1, 3), np.float16)}]))


def reader(root: Path, name: str = "reader", version: int = 1, *, listens: bool = True) -> Path:
    """Write the reader under `root`, without a card; returns its folder. One that does not listen ignores lengths."""
    random = np.random.default_rng(12)
    groups = [{"words": random.integers(20, size=(2, length), dtype=np.int32)} for length in (3, 9, 12, 15)]
    return write(root / name / str(version), reader_model(listens=listens), twin_answers(reader_model(), groups))


def echo(root: Path, name: str = "echo", version: int = 1) -> Path:
    """Write the echo model under `root`, without a card or golden rows; returns its folder."""
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    return write(root / name / str(version), plain_model(nodes, TensorProto.STRING, "t"), {})


def write(
    folder: Path,
    twin: onnx.ModelProto,
    golden: Mapping[str, Array],
    card: Mapping[str, Any] | None = None,
    golden_off_by: float = 0.0,
) -> Path:
    """The files of a version, but for the vocabulary."""
    extra = folder / "assets.extra"
    extra.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    (extra / "model.onnx").write_bytes(twin.SerializeToString())
    if card is not None:
        (extra / "card.json").write_text(json.dumps(card), encoding="utf-8")
    kept = {key: array.astype(str) if array.dtype.kind == "O" else array for key, array in golden.items()}
    off = {key: kept[key] + golden_off_by for key in kept if golden_off_by and "/outputs/" in key}
    np.savez(extra / "golden.npz", **kept | off)  # type: ignore[arg-type]
    return folder


def twin_answers(model: onnx.ModelProto, groups: list[dict[str, Array]]) -> dict[str, Array]:
    """What golden.npz holds: the groups' inputs, and the model's outputs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_outputs()]
    golden: dict[str, Array] = {}
    for number, inputs in enumerate(groups):
        golden |= {f"{number}/inputs/{name}": array for name, array in inputs.items()}
        answers = zip(names, session.run(names, inputs), strict=True)
        golden |= {f"{number}/outputs/{name}": array for name, array in answers}
    return golden


def toy_weights() -> Weights:
    random = np.random.default_rng(7)

    def normal(*shape: int) -> Array:
        return random.normal(size=shape).astype(np.float32)

    return {"words": normal(len(VOCABULARY), 4), "score": normal(7, 1), "mood": normal(7, 3), "sure": normal(7, 1)}


def toy_rows() -> list[dict[str, Array]]:
    """Golden inputs: one row first, then a few of other lengths."""
    random = np.random.default_rng(8)
    return [
        {
            "text": random.integers(1, len(VOCABULARY), (rows, length), dtype=np.int32),
            "numbers": random.normal(size=(rows, 3)).astype(np.float32),
        }
        for rows, length in ((1, 5), (4, 3), (2, 9))
    ]


def toy_model(weights: Weights) -> onnx.ModelProto:
    """The mean of the words' vectors beside the numbers, under three heads; the calm mood is the first of three."""
    nodes = [
        helper.make_node("Gather", ["words_weight", "text"], ["vectors"], axis=0),
        helper.make_node("ReduceMean", ["vectors", "axis"], ["mean"], keepdims=0),
        helper.make_node("Concat", ["mean", "numbers"], ["joined"], axis=1),
        helper.make_node("MatMul", ["joined", "score_weight"], ["score"]),
        helper.make_node("MatMul", ["joined", "mood_weight"], ["mood_logits"]),
        helper.make_node("Softmax", ["mood_logits"], ["mood"], axis=1),
        helper.make_node("MatMul", ["joined", "sure_weight"], ["sure_logit"]),
        helper.make_node("Sigmoid", ["sure_logit"], ["sure"]),
    ]
    constants = [numpy_helper.from_array(array, f"{name}_weight") for name, array in weights.items()]
    graph = helper.make_graph(
        nodes,
        "toy",
        [
            helper.make_tensor_value_info("text", TensorProto.INT32, ["n", "t"]),
            helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["n", 3]),
        ],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n", 1]),
            helper.make_tensor_value_info("mood", TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info("sure", TensorProto.FLOAT, ["n", 1]),
        ],
        [*constants, numpy_helper.from_array(np.array([1]), "axis")],
    )
    return model(graph)


def simple_model() -> onnx.ModelProto:
    """Adds and subtracts."""
    names = ("INPUT0", "INPUT1", "OUTPUT0", "OUTPUT1")
    first, second, total, difference = (
        helper.make_tensor_value_info(name, TensorProto.INT32, ["n", 16]) for name in names
    )
    nodes = [
        helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
        helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"]),
    ]
    return model(helper.make_graph(nodes, "simple", [first, second], [total, difference]))


def shop_rows() -> list[dict[str, Array]]:
    """Golden inputs: rows of two lengths."""
    random = np.random.default_rng(9)
    return [
        {
            "photo": random.integers(0, 256, (rows, *PHOTO.shape), dtype=np.uint8),
            "fabric": random.integers(0, len(FABRICS), rows, dtype=np.int32),
            "worn": random.random((rows, days, 2), dtype=np.float32),
        }
        for rows, days in ((1, 3), (4, 2))
    ]


def shop_model() -> onnx.ModelProto:
    """Beside each other, under three heads: the mean colour, the fabric's vector, the mean day."""
    random = np.random.default_rng(10)
    weights = {"fabrics": (3, 2), "price": (7, 1), "size": (7, 2), "style": (7, 3)}
    nodes = [
        helper.make_node("Cast", ["photo"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["levels", "most"], ["pixels"]),
        helper.make_node("ReduceMean", ["pixels", "places"], ["colour"], keepdims=0),
        helper.make_node("Gather", ["fabrics_weight", "fabric"], ["stuff"], axis=0),
        helper.make_node("ReduceMean", ["worn", "days"], ["day"], keepdims=0),
        helper.make_node("Concat", ["colour", "stuff", "day"], ["joined"], axis=1),
        helper.make_node("MatMul", ["joined", "price_weight"], ["price"]),
        helper.make_node("MatMul", ["joined", "size_weight"], ["size"]),
        helper.make_node("MatMul", ["joined", "style_weight"], ["style_logits"]),
        helper.make_node("Softmax", ["style_logits"], ["style"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "shop",
        [
            helper.make_tensor_value_info("photo", TensorProto.UINT8, ["n", *PHOTO.shape]),
            helper.make_tensor_value_info("fabric", TensorProto.INT32, ["n"]),
            helper.make_tensor_value_info("worn", TensorProto.FLOAT, ["n", "t", 2]),
        ],
        [
            helper.make_tensor_value_info("price", TensorProto.FLOAT, ["n", 1]),
            helper.make_tensor_value_info("size", TensorProto.FLOAT, ["n", 2]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, ["n", 3]),
        ],
        [
            *(
                numpy_helper.from_array(random.normal(size=shape).astype(np.float32), f"{name}_weight")
                for name, shape in weights.items()
            ),
            numpy_helper.from_array(np.float32(255), "most"),
            numpy_helper.from_array(np.array([1, 2]), "places"),
            numpy_helper.from_array(np.array([1]), "days"),
        ],
    )
    return model(graph)


def slow_model() -> onnx.ModelProto:
    """Each row counts its spins, from 0 to MOST_SPINS; the loop runs on until the last row is done."""
    state = helper.make_tensor_value_info("state", TensorProto.FLOAT, ["n", 1])
    body = helper.make_graph(
        [
            helper.make_node("Less", ["turn", "bounded"], ["turning"]),
            helper.make_node("Add", ["state", "one"], ["turned"]),
            helper.make_node("Where", ["turning", "turned", "state"], ["next_state"]),
            helper.make_node("Identity", ["go_on"], ["still"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            state,
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next_state", TensorProto.FLOAT, ["n", 1]),
        ],
    )
    nodes = [
        helper.make_node("Clip", ["spins", "none", "most"], ["bounded"]),
        helper.make_node("ReduceMax", ["bounded"], ["turns"], keepdims=0),
        helper.make_node("Cast", ["bounded"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["cast", "zero"], ["start"]),
        helper.make_node("Loop", ["turns", "yes", "start"], ["spun"], body=body),
    ]
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("spins", TensorProto.INT64, ["n", 1])],
        [helper.make_tensor_value_info("spun", TensorProto.FLOAT, ["n", 1])],
        [
            numpy_helper.from_array(np.array(0), "none"),
            numpy_helper.from_array(np.array(MOST_SPINS), "most"),
            numpy_helper.from_array(np.array(True), "yes"),
            numpy_helper.from_array(np.float32([0]), "zero"),
            numpy_helper.from_array(np.float32([1]), "one"),
        ],
    )
    return model(graph)


def reader_model(*, listens: bool = True) -> onnx.ModelProto:
    """An LSTM of 3 over words of 4 numbers, as training lets it take lengths."""
    random = np.random.default_rng(11)
    weights = {"table": (20, 4), "from_word": (1, 12, 4), "from_state": (1, 12, 3)}
    nodes = [
        helper.make_node("Shape", ["words"], ["rows"], start=0, end=1),
        helper.make_node("Shape", ["words"], ["whole"], start=1, end=2),
        helper.make_node("Cast", ["whole"], ["steps"], to=TensorProto.INT32),
        helper.make_node("Min", ["words/length" if listens else "steps", "steps"], ["least"]),
        helper.make_node("Expand", ["least", "rows"], ["lengths"]),
        helper.make_node("Gather", ["table", "words"], ["vectors"], axis=0),
        helper.make_node("Transpose", ["vectors"], ["turned"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["turned", "from_word", "from_state", "", "lengths"], ["", "last"], hidden_size=3),
        helper.make_node("Squeeze", ["last", "first"], ["read"]),
    ]
    graph = helper.make_graph(
        nodes,
        "reader",
        [
            helper.make_tensor_value_info("words", TensorProto.INT32, ["n", "t"]),
            helper.make_tensor_value_info("words/length", TensorProto.INT32, ["m"]),
        ],
        [helper.make_tensor_value_info("read", TensorProto.FLOAT, ["n", 3])],
        [
            *(
                numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)
                for name, shape in weights.items()
            ),
            numpy_helper.from_array(np.array([0]), "first"),
            numpy_helper.from_array(np.array([2**31 - 1], np.int32), "words/length"),
        ],
    )
    made = model(graph)
    helper.set_model_props(made, {"manifold.lengths": json.dumps({"words": "words/length"})})
    return made


def plain_model(nodes: list[onnx.NodeProto], dtype: int, size: int | str) -> onnx.ModelProto:
    """From x to y, both (n, size) of that dtype."""
    given, taken = (helper.make_tensor_value_info(name, dtype, ["n", size]) for name in "xy")
    return model(helper.make_graph(nodes, "plain", [given], [taken]))


def model(graph: onnx.GraphProto) -> onnx.ModelProto:
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(made)
    return made


def png(pixels: Array) -> str:
    """A picture as clients send it: PNG in base64."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def toy_card(name: str, version: int) -> dict[str, Any]:
    """The toy's card.json. `numbers` is not on it: an input the card does not name is a plain tensor."""
    return card(
        name,
        version,
        "A toy",
        inputs={
            "text": {
                "kind": "tokens",
                "title": "Words",
                "words": len(VOCABULARY),
                "pad_id": 0,
                "unknown_id": 1,
                "length": None,
                "max_length": MOST_WORDS,
                "vocabulary": "assets/text.vocabulary.txt",
                "example": EXAMPLE,
            }
        },
        outputs={
            "score": {"kind": "number", "title": "Score", "unit": "points", "minimum": None, "maximum": None},
            "mood": {
                "kind": "probabilities",
                "title": "Mood",
                "labels": list(MOODS),
                "threshold": 0.0,
                "otherwise": None,
            },
            "sure": {"kind": "probability", "title": "Sure", "labels": ["no", "yes"], "threshold": 0.5},
        },
    )


def shop_card(name: str, version: int) -> dict[str, Any]:
    """The shop's card.json."""
    height, width, channels = PHOTO.shape
    centimetres = {"unit": "cm", "minimum": None, "maximum": None}
    return card(
        name,
        version,
        "A shop",
        inputs={
            "photo": {
                "kind": "image",
                "title": "Photo",
                "height": height,
                "width": width,
                "channels": channels,
                "example": png(PHOTO),
            },
            "fabric": {"kind": "category", "title": "Fabric", "labels": list(FABRICS), "example": "wool"},
            "worn": {
                "kind": "numbers",
                "title": "Days worn, inside and outside",
                "dims": [None, 2],
                "unit": "days",
                "minimum": 0.0,
                "maximum": 1.0,
                "max_length": MOST_DAYS,
                "example": [[0.5, 0.25], [1, 0]],
            },
        },
        outputs={
            "price": {"kind": "number", "title": "Price", "unit": "euros", "minimum": None, "maximum": None},
            "size": {"kind": "numbers", "title": "Size", "dims": [2], **centimetres},
            "style": {
                "kind": "probabilities",
                "title": "Style",
                "labels": list(STYLES),
                "threshold": SURE,
                "otherwise": "plain",
            },
        },
    )


def card(name: str, version: int, title: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """A card.json with made-up figures."""
    return {
        "format": 1,
        "model": name,
        "version": version,
        "title": title,
        "description": "Means nothing, quickly.",
        "parameters": 75,
        "inputs": inputs,
        "outputs": outputs,
        "provenance": {
            "data": "none",
            "rows": {"train": 1, "validation": 1, "test": 1},
            "seed": 7,
            "preset": "quick",
            "epochs": 1,
            "created": "2026-01-01T00:00:00Z",
            "seconds": 0.5,
            "versions": {"python": "3", "tensorflow": "2", "keras": "3", "tf2onnx": "1", "manifold": "0"},
        },
        "metrics": {output: {"accuracy": 0.5, "baseline": {"name": "majority", "accuracy": 0.4}} for output in outputs},
        "losses": {output: {"weight": 1.0, "share": 0.1, "suggested_weight": None} for output in outputs},
        "findings": [{"title": "Rows by length", "figures": {"short": 1.0, "long": 2.0}, "unit": None}],
        "verified": {
            "rows": 7,
            "twin": {"kept": True, "largest_difference": 0.0, "reason": None},
            "batch_invariance": {"largest_difference": 0.0},
        },
    }
