"""The benchmark's judgement of answers: right ones pass however they are written, wrong ones are found."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench.answers import TOLERANCE, Checker, Told
from loadtest.bench.forms import FORMS, flat, shape
from loadtest.bench.reference import Reference

INPUTS = {"text": {"dtype": "int32", "dims": [None]}, "vector": {"dtype": "float32", "dims": [2, 2]}}
ROWS = [{"text": [1, 2, 3], "vector": [[0.5, 1.0], [1.5, 2.0]]}, {"text": [4], "vector": [[0.0, 0.0], [0.0, 1.0]]}]
ANSWERS = [{"age": [20.0], "income": [0.25, 0.75]}, {"age": [-60.0], "income": [0.5, 0.5]}]
REFERENCE = Reference(INPUTS, ROWS, ANSWERS)


def answered(form: str, number: int, outputs: dict[str, Any]) -> str:
    """What a server of a form answers to row `number`."""
    if form == "tensorflow-serving":
        return json.dumps({"predictions": [outputs]})
    if form == "plain":
        return json.dumps({"id": str(number), "outputs": outputs})
    return json.dumps({"id": str(number), "outputs": [{"name": name, "data": v} for name, v in outputs.items()]})


def told(form: str, number: int, outputs: dict[str, Any], status: int = 200) -> Told:
    return Told(str(number) if form == "tensorflow-serving" else "-", status, answered(form, number, outputs), 3)


@pytest.mark.parametrize("form", FORMS)
def test_the_right_answer_to_each_row_is_right_in_every_form(form: str) -> None:
    verdict = Checker(REFERENCE, FORMS[form]).check(told(form, n, one) for n, one in enumerate(ANSWERS, 1))

    assert (verdict.answers, verdict.wrong, verdict.worst) == (6, 0, 0.0)


@pytest.mark.parametrize("form", FORMS)
def test_another_rows_answer_is_wrong_in_every_form(form: str) -> None:
    verdict = Checker(REFERENCE, FORMS[form]).check([told(form, 1, ANSWERS[1]), told(form, 1, ANSWERS[0])])

    assert (verdict.answers, verdict.wrong) == (6, 3)
    assert verdict.worst == 80.0 / 60.0


@given(st.floats(-1, 1), st.sampled_from(["age", "income"]))
def test_an_answer_is_wrong_just_where_it_is_further_off_than_the_tolerance(off: float, name: str) -> None:
    scale = {"age": 60.0, "income": 0.75}[name]
    outputs = ANSWERS[0] | {name: [ANSWERS[0][name][0] + off * scale, *ANSWERS[0][name][1:]]}

    verdict = Checker(REFERENCE, FORMS["plain"]).check([told("plain", 1, outputs)])

    assert verdict.worst == pytest.approx(abs(off), abs=1e-12)
    assert bool(verdict.wrong) == (verdict.worst > TOLERANCE)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        json.dumps({"id": "1", "outputs": {"age": [20.0]}}),
        json.dumps({"id": "3", "outputs": ANSWERS[0]}),
        json.dumps({"id": "1", "outputs": ANSWERS[0] | {"age": [20.0, 20.0]}}),
        json.dumps({"id": "1", "outputs": ANSWERS[0] | {"age": ["20"]}}),
        json.dumps({"id": "1", "outputs": ANSWERS[0] | {"age": [math.nan]}}),
    ],
)
def test_what_is_no_answer_is_wrong(body: str) -> None:
    verdict = Checker(REFERENCE, FORMS["plain"]).check([Told("1", 200, body, 1)])

    assert (verdict.wrong, verdict.worst) == (1, math.inf)
    assert verdict.example == f"200 {body}"


def test_an_error_is_wrong_whatever_its_body_says() -> None:
    verdict = Checker(REFERENCE, FORMS["plain"]).check([told("plain", 1, ANSWERS[0], status=500)])

    assert verdict.wrong == 3


def test_a_single_output_without_a_name_is_the_models_only_one() -> None:
    alone = Reference(INPUTS, ROWS, [{"age": [20.0]}, {"age": [-60.0]}])
    body = json.dumps({"predictions": [[20.0]]})

    assert Checker(alone, FORMS["tensorflow-serving"]).check([Told("1", 200, body, 1)]).wrong == 0


@pytest.mark.parametrize("form", FORMS)
def test_every_form_carries_the_rows_numbers(form: str) -> None:
    written = json.dumps(FORMS[form].write("1", ROWS[0], INPUTS))

    for value in ROWS[0].values():
        assert json.dumps(value) in written or json.dumps(flat(value)) in written


def test_open_inference_tensors_have_the_shape_and_type_of_one_row() -> None:
    body = FORMS["open-inference"].write("7", ROWS[0], INPUTS)

    assert body["id"] == "7"
    assert [(t["name"], t["shape"], t["datatype"]) for t in body["inputs"]] == [
        ("text", [1, 3], "INT32"),
        ("vector", [1, 2, 2], "FP32"),
    ]


@given(st.lists(st.integers(1, 3), max_size=3))
def test_flat_numbers_are_as_many_as_the_shape_says(sizes: list[int]) -> None:
    value: Any = 0
    for size in reversed(sizes):
        value = [value] * size

    assert shape(value) == sizes
    assert len(flat(value)) == math.prod(sizes)
