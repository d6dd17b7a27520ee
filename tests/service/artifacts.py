"""Tiny artifacts as training exports them, made without TensorFlow: their ONNX twins are real, their SavedModels empty.

toy    text (n, t) int32 ids of VOCABULARY, numbers (n, 3) float32
       ─▶ score (n, 1) points, mood (n, 3) probabilities, sure (n, 1) probability
slow   spins (n, 1) int64 ─▶ spun (n, 1) float32: the turns of a loop, counted, which takes microseconds each
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from service.tensors import Array

VOCABULARY = ("", "[UNK]", "the", "cat", "sat", "on", "mat", "good", "bad", "very")
MOODS = ("calm", "happy", "sad")
EXAMPLE = "The cat sat on the mat."
MOST_WORDS = 12

SPINS = 3_000
"""Turns of the slow model's golden row; a full batch of it takes well over 5 ms, so a thread drives it."""
MOST_SPINS = 10_000_000

OPSET, IR = 18, 10

Weights = dict[str, Array]


def toy(root: Path, name: str = "toy", version: int = 1, golden_off_by: float = 0.0, twin_off_by: float = 0.0) -> Path:
    """Write a toy version under `root`, perhaps with wrong golden answers or a wrong twin; returns its folder."""
    weights = toy_weights()
    golden = twin_answers(toy_model(weights), toy_rows())
    twin = toy_model(weights | {"score": weights["score"] + np.float32(twin_off_by)})
    folder = write(root / name / str(version), twin, golden, toy_card(name, version), golden_off_by)
    (folder / "assets").mkdir()
    (folder / "assets" / "text.vocabulary.txt").write_bytes("".join(f"{word}\n" for word in VOCABULARY).encode())
    return folder


def slow(root: Path, name: str = "slow", version: int = 1) -> Path:
    """Write the slow model under `root`, without a card; returns its folder."""
    twin = slow_model()
    golden = twin_answers(twin, [{"spins": np.array([[SPINS]])}])
    return write(root / name / str(version), twin, golden)


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
    off = {key: array + (golden_off_by if "/outputs/" in key else 0) for key, array in golden.items()}
    np.savez(extra / "golden.npz", **off)  # type: ignore[arg-type]
    return folder


def twin_answers(model: onnx.ModelProto, groups: list[dict[str, Array]]) -> dict[str, Array]:
    """What golden.npz holds: the groups' inputs, and the model's outputs."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
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


def model(graph: onnx.GraphProto) -> onnx.ModelProto:
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(made)
    return made


def toy_card(name: str, version: int) -> dict[str, Any]:
    """The toy's card.json. `numbers` is not on it: an input the card does not name is a plain tensor."""
    return {
        "format": 1,
        "model": name,
        "version": version,
        "title": "A toy",
        "description": "Means nothing, quickly.",
        "inputs": {
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
        "outputs": {
            "score": {"kind": "number", "title": "Score", "unit": "points", "minimum": None, "maximum": None},
            "mood": {"kind": "probabilities", "title": "Mood", "labels": list(MOODS)},
            "sure": {"kind": "probability", "title": "Sure", "labels": ["no", "yes"], "threshold": 0.5},
        },
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
        "metrics": {"mood": {"accuracy": 0.5, "baseline": {"name": "majority", "accuracy": 0.4}}},
        "losses": {"score": {"weight": 1.0, "share": 1.0, "suggested_weight": None}},
        "verified": {
            "rows": 7,
            "twin": {"kept": True, "largest_difference": 0.0, "reason": None},
            "batch_invariance": {"largest_difference": 0.0},
        },
    }
