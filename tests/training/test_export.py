"""What is published answers as the trained model did, and says about itself what is true."""

import json
from dataclasses import replace
from functools import partial

import jsonschema
import keras
import numpy as np
import onnxruntime as ort
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from models.architecture import Architecture
from service.versions import manifest
from tests.training import toys
from training import golden, saved_model
from training.card import SCHEMA
from training.export import export
from training.twin.convert import convert
from training.twin.make import Verdict, make
from training.versions import Version


@pytest.fixture(scope="module")
def card(artifact):
    return json.loads((artifact / "assets.extra/card.json").read_text())


@pytest.fixture(scope="module")
def groups(artifact):
    with np.load(artifact / "assets.extra/golden.npz") as arrays:
        found = {}
        for key, tensor in arrays.items():
            number, side, name = key.split("/")
            found.setdefault(int(number), {}).setdefault(side, {})[name] = tensor
    return [found[number] for number in sorted(found)]


def test_the_saved_model_answers_as_the_trained_one(artifact, trained, held):
    run = saved_model.load(artifact)
    for place in range(12):
        row = {name: column[place][None] for name, column in held.rows.inputs.items()}
        expected = {name: np.asarray(value) for name, value in trained.model(row).items()}
        assert golden.difference(expected, run(row)) < 1e-6


def test_text_and_ids_get_the_same_answers(artifact, held):
    from_ids, from_text = saved_model.load(artifact), saved_model.load(artifact, "text")
    for place in range(12):
        ids = {name: column[place][None] for name, column in held.rows.inputs.items()}
        text = {name: np.array([held.table[name][place]], dtype=object) for name in ids}
        assert golden.difference(from_ids(ids), from_text(text)) < 1e-6


def test_the_signatures_are_named_open_and_typed(artifact):
    signatures = tf.saved_model.load(str(artifact)).signatures
    ids, text = (signatures[name].structured_input_signature[1] for name in ("serving_default", "text"))
    outputs = signatures["serving_default"].structured_outputs

    assert {(name, tuple(spec.shape), spec.dtype) for name, spec in ids.items()} == {
        ("left", (None, None), tf.int32),
        ("right", (None, None), tf.int32),
    }
    assert {(name, tuple(spec.shape), spec.dtype) for name, spec in text.items()} == {
        ("left", (None,), tf.string),
        ("right", (None,), tf.string),
    }
    assert {(name, tuple(spec.shape)) for name, spec in outputs.items()} == {
        ("overlap", (None, 1)),
        ("colour", (None, 3)),
        ("long", (None, 1)),
    }


def test_golden_rows_are_what_the_saved_model_answers(artifact, groups):
    run = saved_model.load(artifact)

    for group in groups:
        assert golden.difference(group["outputs"], run(group["inputs"])) < 1e-6


def test_golden_rows_are_varied_and_never_padded(groups, card):
    shapes = {tuple(tensor.shape[1] for tensor in group["inputs"].values()) for group in groups}
    rows = [len(group["inputs"]["left"]) for group in groups]

    assert rows[0] == 1
    assert len(shapes) > 3
    assert 20 <= sum(rows) == card["verified"]["rows"] <= 45
    assert all((tensor != 0).all() for group in groups for tensor in group["inputs"].values())


def test_the_twin_is_kept_with_the_names_and_the_answers_of_the_signature(artifact, card, groups):
    session = ort.InferenceSession(artifact / "assets.extra/model.onnx")
    names = [output.name for output in session.get_outputs()]
    worst = max(
        golden.difference(group["outputs"], dict(zip(names, session.run(None, group["inputs"]), strict=True)))
        for group in groups
    )

    assert ({i.name for i in session.get_inputs()}, set(names)) == ({"left", "right"}, {"overlap", "colour", "long"})
    assert card["verified"]["twin"] == {"kept": True, "largest_difference": pytest.approx(worst), "reason": None}
    assert worst <= 1e-4


def test_a_model_without_convolutions_is_not_reduced_and_the_card_says_so(artifact, card):
    reduced = card["verified"]["reduced"]

    assert (reduced["kept"], reduced["reason"]) == (False, "there is no convolution to reduce")
    assert not (artifact / "assets.extra/model.int8.onnx").exists()


def test_a_row_answers_alike_alone_and_in_a_crowd(card):
    assert 0 <= card["verified"]["batch_invariance"]["largest_difference"] < 1e-6


def test_batch_invariance_is_measured_and_not_assumed():
    group = golden.Group([0, 1], {"x": np.ones((2, 3), "int32")}, {"y": np.zeros((2, 1))})

    assert (
        golden.batch_difference([group], lambda inputs: {"y": np.full((len(inputs["x"]), 1), len(inputs["x"]) / 64)})
        == 0.5
    )


def test_the_card_keeps_to_its_schema_and_names_what_ran(card):
    jsonschema.validate(card, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)

    assert (card["model"], card["version"], card["inputs"]["left"]["words"]) == ("toy", 1, toys.WORDS)
    assert card["outputs"]["colour"] == {
        "kind": "probabilities",
        "title": "Colour",
        "labels": ["blue", "green", "red"],
        "threshold": 0.0,
        "otherwise": None,
    }
    assert card["provenance"]["versions"]["keras"] == keras.__version__
    assert set(card["metrics"]) == set(card["losses"]) == set(card["outputs"])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda card: card.pop("verified"), id="a part is missing"),
        pytest.param(lambda card: card.update(surprise=1), id="an unknown key"),
        pytest.param(lambda card: card["outputs"]["long"]["labels"].append("maybe"), id="three labels of two"),
        pytest.param(lambda card: card["outputs"]["overlap"].update(labels=["a", "b"]), id="a number with labels"),
        pytest.param(lambda card: card["verified"]["twin"].update(kept=False), id="a twin dropped without a reason"),
        pytest.param(lambda card: card["inputs"]["left"].update(vocabulary="../secret"), id="words outside the folder"),
    ],
)
def test_the_schema_refuses(card, spoil):
    spoilt = json.loads(json.dumps(card))
    spoil(spoilt)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoilt, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)


def test_a_word_stands_on_the_line_of_its_id(artifact, trained):
    lines = (artifact / "assets/left.vocabulary.txt").read_bytes().decode().split("\n")

    assert lines[:2] == ["", "[UNK]"]
    assert lines == [*trained.encoder.vocabularies["left"], ""]


def test_warm_up_records_ask_both_signatures_what_the_model_can_answer(artifact):
    signatures = tf.saved_model.load(str(artifact)).signatures
    asked = set()
    for record in tf.data.TFRecordDataset(str(artifact / "assets.extra/tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        answers = signatures[request.model_spec.signature_name](
            **{name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        )
        asked.add((request.model_spec.name, request.model_spec.signature_name))
        assert set(answers) == {"overlap", "colour", "long"}

    assert asked == {("toy", "serving_default"), ("toy", "text")}


def test_the_manifest_has_all_that_was_published(artifact):
    named = json.loads((artifact / manifest.NAME).read_text())
    assert (named["model"], str(named["version"])) == (artifact.parent.name, artifact.name)
    assert {"saved_model.pb", "assets.extra/card.json", "assets.extra/golden.npz"} <= named["files"].keys()
    manifest.check(artifact, artifact.parent.parent)


def test_the_report_lies_beside_the_model_in_pictures_and_numbers(artifact):
    folder = artifact / "assets.extra/report"
    report = json.loads((folder / "report.json").read_text())

    assert {path.name for path in folder.glob("*.png")} == {
        "layers.png",
        "learning_curves.png",
        "overlap.scatter.png",
        "colour.confusion.png",
        "long.confusion.png",
        "long.roc.png",
        "long.calibration.png",
    }
    assert len(report["history"]["val_loss"]) == report["epochs"]
    assert sum(map(sum, report["outputs"]["colour"]["confusion"]["rows_true_columns_guessed"])) == 120


def inverted(*, masked: bool = True, **sizes: int) -> keras.Model:
    """The toy, but a build without masks answers the opposite."""
    model = toys.build(masked=masked, **sizes)
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("left", "right")}
    outputs = model(inputs)
    return model if masked else keras.Model(inputs, {**outputs, "long": 1.0 - outputs["long"]})


def refusing(*, masked: bool = True, **sizes: int) -> keras.Model:
    """The toy, but it cannot be built without masks."""
    if not masked:
        raise NotImplementedError("no build without masks")
    return toys.build(masked=masked, **sizes)


def test_a_twin_that_disagrees_is_dropped_and_the_card_says_why(tmp_path, trained, held):
    other = replace(trained, architecture=Architecture(inverted, toys.HEADS))
    folder = export(other, held, toys.PROVENANCE, Version(tmp_path, "toy", 3))
    verdict = json.loads((folder / "assets.extra/card.json").read_text())["verified"]["twin"]

    assert not (folder / "assets.extra/model.onnx").exists()
    assert not verdict["kept"]
    assert verdict["reason"] == f"differs from the SavedModel by {verdict['largest_difference']:.3g}, more than 0.0001"


def test_a_twin_that_cannot_be_made_is_dropped_with_the_reason(tmp_path, trained):
    other = replace(trained, architecture=Architecture(refusing, toys.HEADS))
    verdict = make(partial(convert, other, saved_model.specs(trained.encoder)), [], tmp_path / "model.onnx")

    assert verdict == Verdict(False, None, "not converted: NotImplementedError: no build without masks")
    assert not (tmp_path / "model.onnx").exists()
