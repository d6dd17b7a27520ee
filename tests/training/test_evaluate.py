"""Figures against values computed by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training import toys
from training import metrics
from training.evaluate import evaluate
from training.task import Numbers, Probabilities


def test_errors_of_numbers():
    figures = metrics.of_numbers(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 5.0]), ranked=True)

    assert figures == pytest.approx(
        {"mae": 1.0, "rmse": (5 / 3) ** 0.5, "r2": 1 - 5 / 2, "pearson": 1.0, "spearman": 1.0}
    )


def test_correlation_with_a_constant_is_not_defined():
    figures = metrics.of_numbers(np.array([1.0, 2.0]), np.array([1.5, 1.5]), ranked=True)

    assert (figures["pearson"], figures["spearman"], figures["r2"]) == (None, None, 0.0)


def test_unbounded_numbers_are_not_ranked():
    assert set(metrics.of_numbers(np.array([1.0, 2.0]), np.array([1.0, 2.0]), ranked=False)) == {"mae", "rmse", "r2"}


def test_figures_of_a_probability():
    figures = metrics.of_probability(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.5, 0.9]), 0.55)

    assert figures["accuracy"] == 0.5  # 0.6 and 0.5 are on the wrong side of 0.55
    assert figures["roc_auc"] == 0.75  # of four pairs, (0.6, 0.5) is in the wrong order
    assert figures["calibration_error"] == pytest.approx((0.1 + 0.6 + 0.5 + 0.1) / 4)


def test_a_probability_of_exactly_the_threshold_is_the_second_label():
    assert metrics.of_probability(np.array([1]), np.array([0.5]), 0.5)["accuracy"] == 1


def test_ranking_one_class_is_not_defined():
    assert metrics.of_probability(np.array([1, 1]), np.array([0.5, 0.6]), 0.5)["roc_auc"] is None


def test_reliability_gathers_what_was_said_in_tenths():
    bins = metrics.reliability(np.array([0, 1, 1]), np.array([0.11, 0.19, 1.0]))

    assert bins == [(pytest.approx(0.15), 0.5, 2), (1.0, 1.0, 1)]


def test_confusion_counts_a_row_per_truth():
    assert metrics.confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 3) == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_each_output_stands_beside_its_baseline():
    train = {
        "left": ["a"] * 4,
        "right": ["b"] * 4,
        "overlap": [0.0] * 4,
        "colour": ["red", "red", "red", "blue"],
        "long": ["no"] * 3 + ["yes"],
    }
    test = {
        "left": ["a b", "a"],
        "right": ["b", "c"],
        "overlap": [0.5, 0.25],
        "colour": ["red", "blue"],
        "long": ["no", "yes"],
    }
    said = {
        "overlap": np.array([[0.4], [0.25]]),
        "colour": np.array([[0.1, 0.2, 0.7], [0.9, 0.1, 0.0]]),
        "long": np.array([[0.2], [0.8]]),
    }
    judged = evaluate(toys.encoder(), train, test, said)

    assert judged["overlap"].metrics["mae"] == pytest.approx(0.05)
    assert judged["overlap"].metrics["baseline"]["name"] == "word overlap"
    assert judged["overlap"].metrics["baseline"]["mae"] == pytest.approx(0.125)
    assert judged["colour"].metrics == {"accuracy": 1.0, "baseline": {"name": "majority", "accuracy": 0.5}}
    assert judged["long"].metrics["accuracy"] == 1.0
    assert judged["long"].metrics["baseline"]["accuracy"] == 0.5
    assert judged["long"].metrics["baseline"]["roc_auc"] == 0.5


def with_output(name, output, baseline):
    """The toys, judged by one output alone."""
    return replace(toys.TASK, outputs={name: output}, baselines={name: baseline})


def test_an_answer_below_the_threshold_is_the_label_for_it_and_the_baseline_knows_no_threshold():
    output = Probabilities("Colour", threshold=0.6, otherwise="red")
    encoder = replace(toys.encoder(), task=with_output("colour", output, "majority"))
    said = {"colour": np.array([[0.6, 0.2, 0.2], [0.59, 0.4, 0.01]])}
    colours = {"colour": ["blue", "red"], "left": ["a", "b"]}

    judged = evaluate(encoder, {"colour": ["blue", "green"]}, colours, said)["colour"]

    assert judged.guess.tolist() == [0, 2]
    assert judged.metrics == {"accuracy": 1.0, "baseline": {"name": "majority", "accuracy": 0.5}}


def test_arrays_of_numbers_are_judged_number_by_number_and_beside_their_own_mean():
    encoder = replace(toys.encoder(), task=with_output("matrix", Numbers("Matrix", dims=(2,)), "mean"))
    train = {"matrix": [[0, 10], [2, 20]], "left": ["a", "b"]}

    judged = evaluate(encoder, train, {"matrix": [[1, 16]], "left": ["a"]}, {"matrix": np.array([[1.0, 14.0]])})

    assert judged["matrix"].metrics["mae"] == 1.0
    assert judged["matrix"].metrics["baseline"]["mae"] == 0.5
