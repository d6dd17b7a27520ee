"""Tables become tensors by what the training rows taught."""

import numpy as np
import pytest

from tests.training import toys
from training.encode import learn
from training.mistakes import Mistake


def rows(**columns):
    return {"left": ["red x"], "right": ["red y"], "overlap": [0.5], "colour": ["red"], "long": ["yes"], **columns}


def test_labels_are_sorted_and_come_from_the_training_rows(splits):
    assert learn(toys.TASK, splits.train).labels == {"colour": ("blue", "green", "red"), "long": ("no", "yes")}


def test_only_learnt_labels_are_sizes_to_build_with():
    assert toys.encoder().sizes == {"colour": 3}


def test_inputs_share_one_vocabulary(splits):
    vocabularies = learn(toys.TASK, splits.train).vocabularies

    assert vocabularies["left"] == vocabularies["right"]
    assert {"red", "noun1"} <= set(vocabularies["left"])


def test_targets_are_numbers_ones_and_class_numbers():
    targets = toys.encoder().targets(rows())

    assert {name: column.tolist() for name, column in targets.items()} == {
        "overlap": [[0.5]],
        "colour": [2],
        "long": [[1.0]],
    }
    assert {column.dtype for column in targets.values()} == {np.dtype("float32"), np.dtype("int32")}


def test_rows_with_a_label_nobody_learnt_are_left_out():
    known = toys.encoder(("blue", "green")).known(
        rows(left=["a", "b"], right=["c", "d"], overlap=[0, 1], colour=["red", "blue"], long=["no", "no"])
    )

    assert known == {"left": ["b"], "right": ["d"], "overlap": [1], "colour": ["blue"], "long": ["no"]}


def test_a_single_label_is_nothing_to_learn():
    with pytest.raises(Mistake, match="colour: the training rows hold 1 label; at least two"):
        learn(toys.TASK, rows())
