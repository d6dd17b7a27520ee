"""The soak's judgement: growth counts from warm to the end, and every answer is looked at that has not come before."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.chaos import growth
from loadtest.chaos.checker import Checker
from loadtest.chaos.door import Door
from loadtest.chaos.questions import Question
from loadtest.chaos.soak import Listener
from loadtest.chaos.times import Excuses, Versions


@given(st.floats(0, 2), st.floats(-0.5, 2))
def test_growth_counts_from_the_second_quarter_to_the_last(cold: float, grown: float) -> None:
    def sample(answered: int, size: float) -> dict[str, Any]:
        steady = {"resident_mb": 20.0, "files": 7, "threads": 1}
        warm = answered >= 100
        return {
            "answered": answered,
            "warm": warm,
            "held": {"1": steady, "2": {"resident_mb": size, "files": 9, "threads": 3}},
        }

    sizes = [(0, cold), (100, cold), (300, cold), (400, 1), (500, 1), (700, cold), (800, 1 + grown), (1000, 1 + grown)]
    found = growth.of([sample(answered, 100 * size) for answered, size in sizes])

    assert found["resident_mb"] == pytest.approx(max(grown, 0.0))
    assert (found["files"], found["threads"]) == (0, 0)


def test_a_process_that_was_not_there_when_warm_has_grown_without_bounds() -> None:
    held = {"resident_mb": 50.0, "files": 9, "threads": 3}
    samples = [{"answered": count, "warm": True, "held": {pid: held}} for count, pid in [(0, "1"), (3, "1"), (9, "2")]]

    assert list(growth.beyond(growth.of(samples)))


@pytest.mark.parametrize(("name", "more"), [("resident_mb", 0.06), ("files", 5), ("threads", 3)])
def test_growth_beyond_a_bound_is_told(name: str, more: float) -> None:
    steady = {"resident_mb": 0.0, "files": 0, "threads": 0}

    assert not list(growth.beyond(steady))
    assert [name in one["what"] for one in growth.beyond(steady | {name: more})] == [True]


def test_an_answer_is_known_again_by_its_bytes_and_its_version_until_versions_change() -> None:
    def answer(value: float, version: int = 1) -> bytes:
        body = json.dumps({"predictions": [value]}).encode()
        head = f"HTTP/1.1 200 OK\r\nX-Model-Version: {version}\r\nX-Request-Id: soak-0\r\n\r\n"
        return head.encode() + body

    checker = Checker(Versions(), Excuses())
    checker.versions.allow("m", 1)
    answers = {1: {"y": [0.5]}, 2: {"y": [0.7]}}
    listener = Listener(checker, [Question("m", None, "tfs-rows", "/v1", {}, b"", ("y",), answers)], Door(0))
    listener.order = [0]
    for _ in range(3):
        listener(0, answer(0.5))
    listener(0, answer(0.6))
    listener(0, answer(0.7, version=2))
    listener.tell()

    assert checker.counts == {"asked": 5, "right": 3, "violation": 2}
    checker.versions.allow("m", 2)
    checker.versions.end(checker.versions.begin(None))
    listener(0, answer(0.7, version=2))
    assert checker.counts["right"] == 4
