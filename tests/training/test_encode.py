"""Tables become tensors by what the training rows taught."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training import toys
from training.encode import learn
from training.mistakes import Mistake
from training.task import Category, Image, Numbers, Probabilities, Task


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


MIXED = Task(
    title="Every other kind",
    description="",
    inputs={
        "age": Numbers("Age"),
        "series": Numbers("Steps", dims=(None, 2)),
        "picture": Image("Picture", 2, 2, channels=1),
        "brand": Category("Brand"),
        "size": Category("Size", labels=("s", "m", "l")),
    },
    outputs={"matrix": Numbers("Matrix", dims=(2, 2))},
    example={},
    generate=toys.generate,
    data="made up",
    presets={},
    baselines={"matrix": "mean"},
)
TABLE = {
    "age": [3.5, 4],
    "series": [[[1, 2]], np.ones((3, 2))],
    "picture": [[[0, 255], [1, 2]], np.zeros((2, 2), "uint8")],
    "brand": ["b", "a"],
    "size": ["l", "s"],
    "matrix": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
}


def test_numbers_pictures_and_categories_become_arrays_of_the_shape_and_type_of_their_tensors():
    encoder = learn(MIXED, TABLE)
    encoded = encoder.rows(TABLE)

    assert (encoder.vocabularies, encoder.sizes) == ({}, {"brand": 2})
    for name, spec in MIXED.inputs.items():
        for row in encoded.inputs[name]:
            assert row.dtype == spec.dtype
            assert all(want in (None, got) for want, got in zip(spec.dims, row.shape, strict=True))
    assert [int(number) for number in encoded.inputs["brand"] + encoded.inputs["size"]] == [1, 0, 2, 0]
    assert encoded.targets["matrix"].shape == (2, 2, 2)


def test_rows_of_a_category_nobody_learnt_are_left_out():
    encoder = learn(MIXED, TABLE)
    other = {**TABLE, "brand": ["a", "c"]}

    assert [len(column) for column in encoder.known(other).values()] == [1] * 6


def test_a_single_label_is_nothing_to_learn():
    with pytest.raises(Mistake, match="colour: the training rows hold 1 label; at least two"):
        learn(toys.TASK, rows())


def test_rows_without_the_label_for_unsure_answers_are_refused():
    unsure = replace(toys.TASK, outputs={"colour": Probabilities("Colour", threshold=0.5, otherwise="grey")})

    with pytest.raises(Mistake, match="colour: no training row has the label 'grey'"):
        learn(unsure, rows(left=["a", "b"], right=["c", "d"], colour=["red", "blue"]))
