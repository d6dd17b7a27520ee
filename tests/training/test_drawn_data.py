"""Rows drawn at random: reproducible, shared out, apart from each other, and true to the rule that each one states."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.data import adder, classifier, majority, matrix_product, matrix_sum, same_distribution
from training.mistakes import DataMistake

PROVIDERS = {
    provider.__name__.rpartition(".")[2]: provider
    for provider in (adder, classifier, majority, matrix_product, matrix_sum, same_distribution)
}
SPLITS = ("train", "validation", "test")
COUNT = 1_000

each = pytest.mark.parametrize("name", PROVIDERS)
seeds = st.integers(0, 2**32 - 1)


def rows(table, names):
    """What stands in the columns of these names, one tuple of bytes a row."""
    return list(zip(*([np.asarray(value).tobytes() for value in table[name]] for name in names), strict=True))


def column(splits, name):
    return np.stack([value for split in SPLITS for value in getattr(splits, split)[name]])


@pytest.fixture(scope="module")
def made():
    return {name: provider.generate(COUNT, 0) for name, provider in PROVIDERS.items()}


@each
def test_equal_seeds_give_equal_rows_and_another_seed_others(made, name):
    task = PROVIDERS[name].TASK
    columns = [*task.inputs, *task.outputs]
    again, other = task.generate(COUNT, 0), task.generate(COUNT, 1)
    for split in SPLITS:
        assert rows(getattr(made[name], split), columns) == rows(getattr(again, split), columns)
        assert rows(getattr(made[name], split), columns) != rows(getattr(other, split), columns)


@each
def test_the_rows_asked_for_are_shared_out_over_the_splits_in_columns_of_the_task(made, name):
    task = PROVIDERS[name].TASK
    for split, count in {"train": 700, "validation": 100, "test": 200}.items():
        table = getattr(made[name], split)
        assert list(table) == [*task.inputs, *task.outputs]
        assert {len(values) for values in table.values()} == {count}


@each
def test_no_inputs_stand_in_two_splits(made, name):
    names = list(PROVIDERS[name].TASK.inputs)
    train, validation, test = (set(rows(getattr(made[name], split), names)) for split in SPLITS)

    assert not train & validation
    assert not train & test
    assert not validation & test


@each
def test_rows_and_the_example_have_the_shape_the_task_says(made, name):
    task = PROVIDERS[name].TASK
    assert list(task.example) == list(task.inputs)
    for key, spec in task.inputs.items():
        assert {(value.shape, value.dtype.name) for value in made[name].train[key]} == {(spec.dims, spec.dtype)}
        values = np.stack([*made[name].train[key], np.asarray(task.example[key])])
        assert spec.minimum is None or spec.minimum <= values.min()
        assert spec.maximum is None or values.max() <= spec.maximum


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_the_majority_has_at_least_five_of_nine_votes(seed):
    splits = majority.generate(100, seed)
    votes = column(splits, "votes")

    assert np.isin(votes, (0, 1)).all()
    assert [int(count >= 5) for count in votes.sum(axis=1)] == [
        majority.LABELS.index(label) for label in column(splits, "majority")
    ]


def test_every_ballot_belongs_to_some_split():
    splits = majority.generate(20_000, 0)
    sizes = [len(set(rows(getattr(splits, split), ["votes"]))) for split in SPLITS]

    assert sizes == [358, 52, 102]


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_samples_lie_around_one_of_two_means_and_are_the_same_when_both_do(seed):
    splits = same_distribution.generate(100, seed)
    first, second = column(splits, "first"), column(splits, "second")

    assert (np.abs(np.abs(np.stack([first, second])) - 10) < 7).all()
    assert ((first > 0).all(axis=1) | (first < 0).all(axis=1)).all()
    assert np.array_equal(first[:, 0] * second[:, 0] > 0, column(splits, "same") == "same")


def test_half_of_the_pairs_are_the_same(made):
    assert 0.45 < (column(made["same_distribution"], "same") == "same").mean() < 0.55


def test_tones_are_about_equally_frequent_and_all_heard(made):
    found, counts = np.unique(column(made["classifier"], "tone"), return_counts=True)

    assert set(found) == set(classifier.LABELS)
    assert counts.min() > 70


def test_the_label_of_a_signal_is_the_frequency_of_most_energy(made):
    """Noise may now and then hide it, so nearly always."""
    spectrum = np.abs(np.fft.rfft(column(made["classifier"], "signal")))[:, 1:11]
    strongest = np.array(classifier.LABELS)[spectrum.argmax(axis=1)]

    assert (strongest == column(made["classifier"], "tone")).mean() > 0.95


def test_the_example_is_a_tone_of_500_hz():
    spectrum = np.abs(np.fft.rfft(classifier.TASK.example["signal"]))

    assert f"{125 * spectrum.argmax()} Hz" == "500 Hz"


@pytest.mark.parametrize("periods", classifier.PERIODS)
def test_a_tone_of_the_opposite_phase_is_its_negative(periods):
    """So the mean of a tone over all phases is zero, and no plane has one tone on its side."""
    one, other = classifier.tone(np.array([periods] * 2), np.array([0.7, 0.7 + np.pi]))

    assert np.allclose(one, -other, atol=1e-12)


def test_the_adders_sums_are_the_sums_of_its_numbers(made):
    assert np.allclose(column(made["adder"], "numbers").sum(axis=1), column(made["adder"], "sum"), atol=1e-4)


def test_always_answering_32_is_off_by_about_1_86(made):
    """As measured in the course; the mean of |N(0, 64 / 12)| is 1.84."""
    test = adder.generate(50_000, 0).test
    off = np.abs(np.array(adder.always_32(test)) - test["sum"])

    assert 1.80 < off.mean() < 1.90


def test_a_row_of_matrices_holds_their_sum(made):
    splits = made["matrix_sum"]

    assert np.array_equal(column(splits, "x") + column(splits, "y"), column(splits, "sum"))


def test_a_row_holds_the_product_with_the_documented_b(made):
    splits = made["matrix_product"]

    assert np.allclose(column(splits, "a") @ np.array(matrix_product.B), column(splits, "product"), atol=1e-4)


matrices = arrays(np.float32, (2, 2), elements=st.floats(-100, 100, width=32))


@given(b=matrices, suffix=st.sampled_from([".npy", ".json"]))
@settings(max_examples=20, deadline=None)
def test_products_are_made_with_the_b_in_a_file(tmp_path_factory, b, suffix):
    file = tmp_path_factory.getbasetemp() / f"b{suffix}"
    if suffix == ".npy":
        np.save(file, b)
    else:
        file.write_text(json.dumps(b.tolist()))
    made = matrix_product.read(file, 0)

    expected = (column(made, "a") @ b.astype(float)).astype(np.float32)
    assert np.allclose(column(made, "product"), expected, rtol=1e-5, atol=1e-3)


REFUSED = {
    "empty.npy": b"",
    "text.npy": b"[[1, 2], [3, 4]]",
    "empty.json": b"",
    "broken.json": b"[[1, 2], [3",
    "binary.json": b"\xff\xfe",
    "deep.json": b"[" * 100_000,
    "ragged.json": b"[[1, 2], [3]]",
    "row.json": b"[1, 2, 3, 4]",
    "large.json": b"[[1, 2, 3], [4, 5, 6], [7, 8, 9]]",
    "object.json": b'{"b": [[1, 2], [3, 4]]}',
    "words.json": b'[["1", "2"], ["3", "4"]]',
    "nothing.json": b"[[1, 2], [3, null]]",
    "truth.json": b"[[true, false], [false, true]]",
    "infinite.json": b"[[1, 2], [3, Infinity]]",
    "huge.json": b"[[1, 2], [3, 1e300]]",
    "whole.json": b"[[1, 2], [3, 1" + b"0" * 400 + b"]]",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_without_a_b_is_refused_by_name(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(REFUSED[name])

    with pytest.raises(DataMistake, match=rf"^{name}: (no matrix can be read|b must be 2 × 2 finite numbers)"):
        matrix_product.read(file, 0)


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "b.npy", np.array([[{}, {}], [{}, {}]]), allow_pickle=True)

    with pytest.raises(DataMistake, match=r"^b\.npy: no matrix can be read"):
        matrix_product.read(tmp_path / "b.npy", 0)


def test_rows_of_products_are_left_to_those_who_read_rows(tmp_path):
    assert matrix_product.read(tmp_path / "rows.jsonl", 0) is None
