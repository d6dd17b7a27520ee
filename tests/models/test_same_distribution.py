"""The net with one neuron for both samples: its size, what is shared, where it begins, and how order is measured."""

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.majority import FUNCTIONAL  # noqa: E402
from models.same_distribution import SHARED  # noqa: E402
from training.data import majority, same_distribution  # noqa: E402
from training.encode import learn  # noqa: E402
from training.studies.majority import weights  # noqa: E402
from training.studies.same_distribution import swap  # noqa: E402
from training.train import Trained  # noqa: E402

ROWS = 40


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    return SHARED.compiled()


def studied(study, model, architecture, task):
    """A study's findings about a model as it is, by title."""
    splits = task.generate(ROWS * 5, 0)
    trained = Trained(model, architecture, learn(task, splits.train), {}, 0)
    return [finding.figures for finding in study(trained, splits, task.presets["quick"], 0)]


def test_the_model_has_the_known_number_of_parameters(model):
    assert model.count_params() == 6 + 12 + 5


def test_both_samples_go_through_the_same_neuron(model):
    sample = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    merged = keras.Model(model.inputs, model.get_layer("merge").output)
    found = np.asarray(merged({"first": sample, "second": sample}))

    assert np.array_equal(found[:, 0], found[:, 1])


def test_each_of_the_four_hidden_neurons_begins_at_one_case(model):
    cases = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    fired = np.asarray(model.get_layer("cases")(cases))

    assert np.allclose(fired.diagonal(), 0.88, atol=0.01)
    assert (fired[~np.eye(4, dtype=bool)] < 0.12).all()


def test_one_step_moves_every_layer_and_both_samples_move_the_shared_one(model):
    model.run_eagerly = True  # One step is sooner done than traced.
    before = {layer.name: layer.get_weights()[0] for layer in model.layers if layer.weights}
    first, second = np.eye(5, dtype=np.float32)[[0, 0]], np.eye(5, dtype=np.float32)[[1, 1]]
    model.train_on_batch({"first": first, "second": second}, {"same": np.ones((2, 1))})
    moved = {name: model.get_layer(name).get_weights()[0] != old for name, old in before.items()}

    assert {name: change.any() for name, change in moved.items()} == dict.fromkeys(("shared", "cases", "same"), True)
    assert moved["shared"][:, 0].tolist() == [True, True, False, False, False]


def test_a_symmetric_net_gives_the_same_answer_to_swapped_samples(model):
    head = model.get_layer("same")
    head.set_weights([np.array([[5], [-5], [-5], [5]], np.float32), np.zeros(1, np.float32)])
    moved, changed = studied(swap, model, SHARED, same_distribution.TASK)

    assert moved == pytest.approx({"mean": 0, "largest": 0}, abs=1e-6)
    assert changed == {"test rows": 0}


def test_a_net_that_hears_only_the_first_sample_is_found_out(model):
    """Its answer changes wherever the two samples differ."""
    model.get_layer("shared").set_weights([np.full((5, 1), 0.2, np.float32), np.zeros(1, np.float32)])
    model.get_layer("same").set_weights([np.array([[-9], [-9], [9], [9]], np.float32), np.zeros(1, np.float32)])
    labels = same_distribution.TASK.generate(ROWS * 5, 0).test["same"]
    moved, changed = studied(swap, model, SHARED, same_distribution.TASK)

    assert changed["test rows"] == pytest.approx(100 * labels.count("different") / len(labels))
    assert moved["largest"] > 0.9 > moved["mean"] > 0.1


def test_the_study_of_votes_names_each_weight_and_the_bias():
    model = FUNCTIONAL.build()
    model.set_weights([np.arange(1, 10, dtype=np.float32)[:, None], np.array([-5], np.float32)])
    (figures,) = studied(weights, model, FUNCTIONAL, majority.TASK)

    assert figures == {**{f"vote {number}": number for number in range(1, 10)}, "bias": -5}
