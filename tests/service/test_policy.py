"""serving.json, read strictly, and the versions that follow from a policy."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.versions import policies
from service.versions.policies import BadPolicy
from service.versions.policy import Canary, Policy

NUMBERS = st.integers(1, 6)
LABELS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,5}", fullmatch=True)
POLICIES = st.builds(
    Policy,
    versions=st.none()
    | NUMBERS
    | st.just("all")
    | st.sets(NUMBERS).map(lambda numbers: tuple(sorted(numbers, reverse=True))),
    labels=st.dictionaries(LABELS, NUMBERS, max_size=3),
    canary=st.none() | st.builds(Canary, NUMBERS, st.integers(0, 100) | st.floats(0, 100)),
    shadow=st.none() | NUMBERS,
    nan=st.sampled_from(["pass", "refuse"]),
)
EVERYTHING = {
    "versions": 2,
    "labels": {"stable": 3, "canary": 5},
    "canary": {"version": 5, "percent": 10},
    "shadow": 5,
    "nan": "refuse",
}


def parse(value: Any) -> dict[str, Policy]:
    return policies.parse(json.dumps({"qa": value}).encode())


class TestReading:
    def test_every_part_is_read(self, tmp_path: Path):
        (tmp_path / "serving.json").write_text(json.dumps({"qa": EVERYTHING, "other": {}}))
        assert policies.read(tmp_path / "serving.json") == {
            "qa": Policy(2, {"stable": 3, "canary": 5}, Canary(5, 10), 5, "refuse"),
            "other": Policy(),
        }

    def test_no_file_is_no_policies(self, tmp_path: Path):
        assert policies.read(tmp_path / "none.json") == {}
        assert policies.read(tmp_path / "none" / "serving.json") == {}

    @given(POLICIES)
    def test_what_is_written_is_read_again(self, wanted):
        assert parse(policies.document(wanted)) == {"qa": wanted}

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            ([], "/qa: expected an object, got a list of 0"),
            ({"version": 2}, "/qa/version: unknown key 'version', did you mean 'versions'?"),
            ({"versions": 0}, "/qa/versions: expected how many of the newest"),
            ({"versions": True}, "/qa/versions: expected how many of the newest"),
            ({"versions": "newest"}, 'got the string "newest"'),
            ({"versions": [2, 0, "x"]}, "/qa/versions/1: expected a version, a whole number of at least 1, got 0\n"),
            ({"labels": ["a"]}, "/qa/labels: expected an object of labels and versions"),
            ({"labels": {"a": -1}}, "/qa/labels/a: expected a version"),
            ({"labels": {"a/b": 1}}, "/qa/labels/a~1b: expected a label of letters"),
            ({"labels": {"Stable": 1, "stable": 2}}, "/qa/labels/stable: differs from 'Stable' only in case"),
            ({"canary": 5}, "/qa/canary: expected an object of version and percent, got 5"),
            ({"canary": {"version": 5}}, "/qa/canary: expected an object of version and percent"),
            ({"canary": {"version": 5, "percent": 101}}, "/qa/canary/percent: expected a number from 0 to 100"),
            ({"canary": {"version": 5, "percent": float("nan")}}, "/qa/canary/percent"),
            ({"canary": {"version": 0, "percent": 1}}, "/qa/canary/version: expected a version"),
            ({"shadow": "5"}, "/qa/shadow: expected a version"),
            ({"nan": "refused"}, "/qa/nan: expected 'pass' or 'refuse', got the string \"refused\""),
        ],
    )
    def test_what_is_wrong_is_told_with_its_place(self, value, fault):
        with pytest.raises(BadPolicy) as caught:
            parse(value)
        assert fault in f"{caught.value}\n"

    def test_all_faults_are_told_at_once(self, tmp_path: Path):
        (tmp_path / "serving.json").write_text('{"qa": {"shadow": 0, "nan": 1}, "b/c": {}, "d": {}, "d": {}}')
        with pytest.raises(BadPolicy) as caught:
            policies.read(tmp_path / "serving.json")
        lines = str(caught.value).splitlines()
        assert len(lines) == 4
        assert all(line.startswith(str(tmp_path / "serving.json")) for line in lines)
        assert lines[0].endswith("'d' stands twice")
        assert lines[1].endswith("/b~1c: this is no model's name")

    @pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"1" * 5000])
    def test_what_is_no_object_is_refused(self, text):
        with pytest.raises(BadPolicy):
            policies.parse(text)

    def test_a_file_that_cannot_be_read_is_told(self, tmp_path: Path):
        with pytest.raises(BadPolicy, match="it is no file"):
            policies.read(tmp_path)


class TestChoosing:
    @pytest.mark.parametrize(
        ("wanted", "chosen"),
        [
            (Policy(), [5]),
            (Policy(2), [5, 4]),
            (Policy("all"), [5, 4, 3, 1]),
            (Policy((3, 2)), [3]),
            (Policy(()), []),
            (Policy((), {"stable": 3}, Canary(5, 10)), []),
            (Policy(1, {"stable": 3}), [5, 3]),
            (Policy(1, {"stable": 5}), [5]),
            (Policy(1, {}, Canary(5, 10), 4), [5, 4, 3]),
            (Policy(1, {}, None, 9), [5]),
        ],
    )
    def test_canary_shadow_and_labels_come_besides_the_newest(self, wanted, chosen):
        assert wanted.choose([1, 3, 4, 5], 1, lambda _: True) == chosen

    def test_what_cannot_be_used_gives_way_to_the_next(self):
        assert Policy(2).choose([1, 3, 4, 5], 1, lambda number: number != 5) == [4, 3]

    @given(POLICIES, st.sets(NUMBERS), st.sets(NUMBERS), NUMBERS | st.just("all"))
    def test_what_is_chosen_is_there_usable_and_newest_first(self, wanted, numbers, usable, default):
        chosen = wanted.choose(numbers, default, usable.__contains__)
        assert chosen == sorted(chosen, reverse=True)
        assert set(chosen) <= numbers & usable
        if wanted.versions != () and not isinstance(wanted.versions, tuple):
            assert bool(chosen) == bool(numbers & usable - wanted.aside or numbers & usable & wanted.aside)
