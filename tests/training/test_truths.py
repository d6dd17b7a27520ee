"""What rows tell of a model that was brought: which class is called what, and how good its answers are."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.signature import TensorSpec
from training.mistakes import Mistake
from training.publish import kinds, truths
from training.publish.truths import Truth

WORDS = st.text(st.sampled_from("abé 1"), min_size=1, max_size=3).map(lambda text: f"{text.strip()}x")


def right(labels, cells, rate=0.0):
    """Answers of a model that knows the classes by this order, and says another class at that rate."""
    answers = np.full((len(cells), len(labels)), 0.1)
    for row, cell in enumerate(cells):
        place = labels.index(cell)
        answers[row, (place + (rate > 0 and row % round(1 / rate) == 0)) % len(labels)] = 0.9
    return answers / answers.sum(axis=1, keepdims=True)


@given(st.lists(WORDS, min_size=2, max_size=6, unique=True), st.integers(0, 9))
def test_a_class_is_called_after_the_rows_of_which_it_is_said(labels, seed):
    cells = labels * 24
    np.random.default_rng(seed).shuffle(cells)

    assert truths.labels(Truth("sort", cells, right(labels, cells, 0.125))) == labels


def test_a_class_that_is_rarely_said_keeps_its_label():
    """A model leans to the most frequent one."""
    cells = ["cat"] * 90 + ["dog"] * 8 + ["cow"] * 2
    answers = right(["dog", "cow", "cat"], cells) + np.array([0, 0, 0.5])

    assert truths.labels(Truth("sort", cells, answers / answers.sum(axis=1, keepdims=True))) == ["dog", "cow", "cat"]


def test_a_class_that_no_row_has_keeps_its_number():
    cells = ["b", "a"] * 6

    assert truths.labels(Truth("sort", cells, right(["b", "-", "a"], cells))) == ["b", "1", "a"]


@pytest.mark.parametrize(("classes", "rows", "skill"), [(2, 12, 0.3), (3, 30, 0.3), (6, 12, 1), (10, 30, 2)])
@pytest.mark.parametrize("missing", [0, 1])
def test_no_class_gets_a_label_by_chance(classes, rows, skill, missing):
    """A model that is often wrong, few rows, a class that none of them has."""
    random = np.random.default_rng(0)
    for _ in range(200):
        numbers = random.integers(classes - missing, size=rows)
        logits = random.normal(size=(rows, classes)) + skill * np.eye(classes)[numbers]
        answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        with suppress(Mistake):
            for place, label in enumerate(truths.labels(Truth("sort", [f"c{one}" for one in numbers], answers))):
                assert label in {f"c{place}", str(place)}


def test_every_class_of_a_model_that_is_often_right_gets_its_label():
    random = np.random.default_rng(0)
    numbers = np.arange(300) % 10
    logits = random.normal(size=(300, 10)) + 2 * np.eye(10)[numbers]
    answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    assert 0.5 < (answers.argmax(axis=1) == numbers).mean() < 0.8
    assert truths.labels(Truth("x", [f"c{one}" for one in numbers], answers)) == [f"c{one}" for one in range(10)]


@pytest.mark.parametrize(
    "cells", [[1, 2, 3], ["1", "2", "3"], [1.0, 2.0, 3.0], [[0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]]
)
def test_numbers_are_not_taken_for_classes_that_the_model_counts_otherwise(cells):
    """Stars from 1 to 4, of which no row has 4; or the order is another."""
    truth = Truth("stars", cells * 6, right([0, 1, 2, 3], [0, 1, 2] * 6))

    with pytest.raises(Mistake, match=r"say \d of stars where the model says its class \d, counted from 0; if"):
        truths.labels(truth)


@pytest.mark.parametrize("cells", [["0", "1", "1"], [0, 1.0, 1], [False, True, True]])
def test_numbers_of_classes_name_none(cells):
    truth = Truth("sure", cells, np.array([0.2, 0.7, 0.4]))
    (found,) = truths.judged({"sure": truth}, {"sure": probability("0", "1")}).values()

    assert truths.labels(truth) is None
    assert found.metrics["accuracy"] == pytest.approx(2 / 3)


def test_the_second_label_of_a_probability_is_the_one_that_it_is_high_for():
    assert truths.labels(Truth("sure", ["spam", "ham", "ham"] * 3, np.array([[0.9], [0.2], [0.3]] * 3))) == [
        "ham",
        "spam",
    ]


@pytest.mark.parametrize(
    ("cells", "answers", "said"),
    [
        (
            ["a", "b", "c"],
            right(["a", "b"], ["a", "b", "a"]),
            "have 3 labels of sort, a, b, c; the model tells 2 apart",
        ),
        (
            ["a", "b", "a"],
            np.full((3, 2), 0.5),
            "do not tell which class of sort is a, b; give more rows of each, or --card",
        ),
        (["a", "a", "b", "b"], right(["a", "b"], ["a", "b", "a", "b"]), "do not tell which class"),
        (["a", "a"], right(["a", "b"], ["a", "a"]), "do not tell which class of sort is a;"),
    ],
)
def test_where_labels_are_not_clear_it_is_said(cells, answers, said):
    with pytest.raises(Mistake, match=said):
        truths.labels(Truth("sort", cells, answers))


def probability(*labels):
    return {"kind": "probability", "title": "", "labels": list(labels), "threshold": 0.5}


def number(**members):
    return {"kind": "number", "title": "", "unit": None, "minimum": None, "maximum": None} | members


@pytest.mark.parametrize(
    ("spec", "cells", "answers", "figures"),
    [
        (number(), ["1", 3.0, 5], [1.0, 3.0, 8.0], {"mae": 1.0}),
        (number(), ["1", 3.0, 5], [[1.0], [3.0], [8.0]], {"mae": 1.0}),
        (number(kind="numbers", dims=[2]), [[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 8.0]], {"mae": 1.0}),
        (probability("no", "yes"), ["no", " yes"], [0.4, 0.3], {"accuracy": 0.5, "roc_auc": 0.0}),
        (probability("no", "yes"), [0, 1], [[0.4], [0.6]], {"accuracy": 1.0}),
        (probability("no", "yes"), [[0], [1]], [[0.4], [0.6]], {"accuracy": 1.0}),
        (probability("no", "yes"), [[1, 0], [0, 1]], [[0.4], [0.6]], {"accuracy": 1.0}),
        (probability("-1", "1"), [-1.0, 1.0], [[0.4], [0.6]], {"accuracy": 1.0}),
    ],
)
def test_figures_are_those_of_the_answers(spec, cells, answers, figures):
    found = truths.judged({"x": Truth("x", cells, np.array(answers))}, {"x": spec})["x"].metrics

    assert found | figures == found
    assert set(found["baseline"]) == {"name", *found} - {"baseline"}


@pytest.mark.parametrize(
    ("spec", "cell", "said"),
    [
        (number(), "much", r"the rows say of x 'much', but the model gives numbers: .* \(docs/own.md adds one\)"),
        (number(kind="numbers", dims=[2]), 1, "the rows say of x 1, but the model gives numbers"),
        (number(), [1], r"the truth about x is \[1\], not a number"),
        (number(maximum=9), 10, "the truth about x is 10, above 9"),
        (number(kind="numbers", dims=[2]), [1, 2, 3], "the truth about x"),
        (probability("no", "yes"), "perhaps", "the rows say of x perhaps; its labels are no, yes"),
        (probability("no", "yes"), 2, "the rows say of x 2; its labels are no, yes"),
    ],
)
def test_a_truth_that_cannot_be_is_a_mistake(spec, cell, said):
    with pytest.raises(Mistake, match=said):
        truths.judged({"x": Truth("x", [cell], np.zeros((1, 2)))}, {"x": spec})


def test_rows_without_a_truth_do_not_count():
    cells = np.fromiter([None, "5", None], dtype=object, count=3)
    found = truths.told({"x": cells, "of any shape": cells, "y": cells[:1]}, {"x": np.arange(3.0), "y": np.ones(1)})

    assert list(found) == ["x"]
    assert (found["x"].cells, found["x"].answers.tolist()) == (["5"], [1.0])


@pytest.mark.parametrize("activation", [None, "average"])
@pytest.mark.parametrize(("cells", "kind"), [(["no", "yes", "no"], "probability"), ([0.0, 1.0, 0.5], "number")])
def test_words_tell_that_a_share_is_a_probability(cells, kind, activation):
    """A SavedModel does not say that a sigmoid made its answers, nor does the mean of two."""
    answers = np.array([[0.1], [0.9], [0.3]] * 3, dtype="float32")
    spec = TensorSpec("sure", answers.dtype, (None, 1))

    assert kinds.of_output(spec, [answers], activation, Truth("sure", cells * 3, answers), {})["kind"] == kind


@pytest.mark.parametrize(("answer", "kind"), [([0.2, 0.8], "probabilities"), ([0.2, 0.7], "numbers")])
def test_what_is_1_in_all_are_probabilities_whatever_made_them(answer, kind):
    answers = np.array([answer], dtype="float32")

    assert kinds.output_kind(TensorSpec("sort", answers.dtype, (None, 2)), [answers], "average", words=False) == kind
