"""Training is reproducible, stops in time, keeps the best weights, and says so when it cannot learn."""

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest

from models.architecture import Head
from tests.training import toys
from training.batches import dataset
from training.losses import level, shares
from training.mistakes import Mistake
from training.task import Preset
from training.train import fit, predict


@pytest.fixture(scope="module")
def few():
    return toys.generate(150, 5)


@pytest.fixture(scope="module")
def log():
    return io.StringIO()


@pytest.fixture(scope="module")
def first(few, log):
    with contextlib.redirect_stderr(log):
        return weights(few, 7)


def weights(splits, seed):
    trained = fit(toys.LIGHT, toys.encoder(), splits, Preset(150, epochs=2, batch=32), seed)
    return np.concatenate([weight.ravel() for weight in trained.model.get_weights()])


def test_equal_seeds_give_equal_weights(few, first):
    assert np.array_equal(first, weights(few, 7))


def test_another_seed_gives_other_weights(few, first):
    assert not np.allclose(first, weights(few, 8))


@pytest.mark.usefixtures("first")
def test_progress_is_one_line_an_epoch_in_a_log(log):
    assert [line[:11] for line in log.getvalue().splitlines()] == ["epoch   1/2", "epoch   2/2"]


def test_the_weights_are_those_of_the_best_epoch(trained, splits):
    validation = trained.encoder.rows(splits.validation)
    loss = trained.model.evaluate(dataset(validation, 256), verbose=0, return_dict=True)["loss"]

    assert loss == pytest.approx(min(trained.history["val_loss"]), rel=1e-5)
    assert trained.history["val_loss"][trained.best] == min(trained.history["val_loss"])


def test_training_stops_when_the_validation_loss_does_not_fall(few):
    trained = fit(toys.LIGHT, toys.encoder(), few, Preset(150, epochs=9, learning_rate=0.0, patience=1), seed=1)

    assert trained.epochs == 2


def test_a_loss_that_is_not_finite_is_a_mistake_to_tell(few):
    broken = {**few.train, "overlap": [float("nan")] * len(few.train["overlap"])}
    with pytest.raises(Mistake, match="NaN in epoch 1; a smaller learning rate"):
        fit(toys.LIGHT, toys.encoder(), replace(few, train=broken), Preset(150, epochs=3), seed=1)


def test_predictions_keep_the_order_of_the_rows(trained, splits):
    rows = trained.encoder.rows(splits.test)
    together = predict(trained.model, rows, ["overlap"])["overlap"]
    alone = [trained.model({name: column[place][None] for name, column in rows.inputs.items()}) for place in range(9)]

    assert np.allclose(together[:9, 0], [float(answer["overlap"][0, 0]) for answer in alone], atol=1e-5)


def test_shares_of_the_loss_sum_to_one(trained):
    assert sum(head["share"] for head in shares(trained).values()) == pytest.approx(1)


def test_shares_weigh_the_losses_that_keras_logged(trained):
    losses = {name: trained.history[f"val_{name}_loss"][trained.best] for name in toys.HEADS}
    total = sum(head.weight * losses[name] for name, head in toys.HEADS.items())

    assert total == pytest.approx(trained.history["val_loss"][trained.best], rel=1e-3)
    assert shares(trained)["overlap"]["share"] == pytest.approx(2 * losses["overlap"] / total)


def test_weights_are_suggested_that_would_level_shares_far_apart():
    heads = {"age": Head("mse", weight=1.0), "sex": Head("binary_crossentropy", weight=2.0)}
    architecture = replace(toys.LIGHT, heads=heads)

    assert level(architecture, {"age": 99.0, "sex": 0.5}) == {
        "age": {"weight": 1.0, "share": 0.99, "suggested_weight": 0.51},
        "sex": {"weight": 2.0, "share": 0.01, "suggested_weight": 100.0},
    }
    assert {head["suggested_weight"] for head in level(architecture, {"age": 3.0, "sex": 0.5}).values()} == {None}
