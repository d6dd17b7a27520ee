"""Golden rows: what an engine must answer before it serves."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import golden
from tests.service import artifacts
from tests.service.fakes import RAGGED, FakeEngine, weighted, weighted_steps

ROWS = np.array([[0.1, 0.2], [0.2, 0.3]], np.float32)
"""Answered with 0.5 and 0.8."""


def group(rows: np.ndarray = ROWS, off_by: float = 0.0) -> golden.Group:
    return {"x": rows}, {"y": weighted({"x": rows})["y"] + off_by}


def test_groups_are_read_in_their_order(toy_folder: Path):
    groups = golden.read(toy_folder)
    assert [inputs["text"].shape for inputs, _ in groups] == [(1, 5), (4, 3), (2, 9)]
    assert all(outputs.keys() == {"score", "mood", "sure"} for _, outputs in groups)


def test_group_ten_comes_after_group_nine(tmp_path: Path):
    (tmp_path / "assets.extra").mkdir()
    np.savez(tmp_path / golden.GOLDEN, **{f"{n}/inputs/a/b": np.array([n]) for n in (10, 9, 0)})
    assert [inputs["a/b"].tolist() for inputs, _ in golden.read(tmp_path)] == [[0], [9], [10]]


def test_texts_are_read_as_engines_take_them(tmp_path: Path):
    (tmp_path / "assets.extra").mkdir()
    np.savez(tmp_path / golden.GOLDEN, **{"0/inputs/a": np.array([["a"], ["bcd"]])})
    [(inputs, _)] = golden.read(tmp_path)
    assert (inputs["a"].dtype, inputs["a"].tolist()) == (np.dtype(object), [["a"], ["bcd"]])


@given(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1))
def test_strings_are_kept_as_they_are_without_pickle(texts):
    file = io.BytesIO()
    np.savez(file, x=golden.stored(np.array([text.encode(errors="replace") for text in texts], object)))
    file.seek(0)
    (array,) = np.load(file, allow_pickle=False).values()
    assert golden.taken(array).tolist() == [text.encode(errors="replace").decode() for text in texts]


def test_an_artifact_may_have_none(tmp_path: Path):
    assert golden.read(tmp_path) == []
    assert golden.check(FakeEngine(), []) == 0.0


def test_the_largest_difference_is_told():
    groups = [group(), group(off_by=5e-5), group(off_by=-2e-5)]
    assert golden.check(FakeEngine(), groups) == pytest.approx(5e-5)


@pytest.mark.parametrize(("expected", "off"), [(0.5, 1e-3), (-2000.0, 5e-7), (1.0, 1e-3)])
def test_differences_from_numbers_above_one_are_relative_to_them(expected, off):
    assert golden.difference(np.array([expected + 1e-3]), np.array([expected])) == pytest.approx(off, rel=1e-6)


@pytest.mark.parametrize("off_by", [2e-4, -2e-4, float("nan"), float("inf")])
def test_a_wrong_answer_is_refused(off_by):
    with pytest.raises(golden.WrongAnswers, match=r"fake is .* off the golden answers of y; 0.0001 is allowed"):
        golden.check(FakeEngine(), [group(), group(off_by=off_by)])


def test_an_engine_that_answers_nan_is_refused():
    engine = FakeEngine(function=lambda inputs: {"y": np.full((len(inputs["x"]), 1), np.nan)})
    with pytest.raises(golden.WrongAnswers):
        golden.check(engine, [group()])


def test_an_answer_of_another_shape_is_refused():
    """One number for all rows would otherwise be compared with each of them."""
    constant = np.full((2, 3), 1.0)
    engine = FakeEngine(function=lambda inputs: {"y": np.ones((1, 1))})
    with pytest.raises(golden.WrongAnswers):
        golden.check(engine, [({"x": constant.astype("float32")}, {"y": np.ones((2, 1))})])


def test_an_input_the_engine_lacks_is_left_out():
    inputs, outputs = group()
    assert golden.check(FakeEngine(), [({**inputs, "mask": ROWS}, outputs)]) == 0.0


def test_the_tolerance_is_the_bound_of_the_export(tmp_path: Path):
    folder = artifacts.toy(tmp_path, golden_off_by=2 * golden.TOLERANCE)
    from service.engines.onnx import OnnxEngine

    with pytest.raises(golden.WrongAnswers):
        golden.check(OnnxEngine(folder), golden.read(folder))


def of_lengths(*lengths: int) -> list[golden.Group]:
    return [group(np.full((2, length), length, np.float32)) for length in lengths]


def test_rows_of_different_lengths_are_mixed_as_the_service_would():
    engine = FakeEngine(function=weighted_steps, ragged=RAGGED)
    [(inputs, outputs)] = golden.mixed(engine, of_lengths(1, 5, 4, 20, 20))
    assert inputs["x"].shape == (4, 5)
    assert inputs["x/length"].tolist() == [5, 5, 4, 4]
    assert outputs["y"].tolist() == [[75], [75], [40], [40]]
    assert golden.check(engine, [(inputs, outputs)]) == 0.0


def test_an_engine_that_is_not_ragged_mixes_nothing():
    assert golden.mixed(FakeEngine(), of_lengths(5, 4)) == []
