"""Rows of a model, from JSON to arrays."""

import numpy as np
import pytest

from service import fields, schemas
from service.card import TokensInput
from service.errors import Fault, InvalidInput
from service.schemas import Rows
from service.signature import Signature
from service.text import Tokenizer
from tests.service.fakes import specs

VOCABULARY = b"\n[UNK]\nthe\ncat\nsat"


def tokens(length: int | None = None, pad_id: int = 0, dtype: str = "int32") -> Rows:
    """One input of words, `w`, and one of numbers, `x`."""
    spec = TokensInput(words=6, pad_id=pad_id, unknown_id=1, length=length, max_length=4, vocabulary="")
    signature = Signature(specs(w=(dtype, (None, length)), x=("float32", (None,))), {})
    inputs = fields.build(signature, {"w": spec}, lambda _: Tokenizer(VOCABULARY))
    return Rows(inputs, {"w": "the cat", "x": 0})


def ids(rows: Rows, value) -> list[int]:
    return rows.load([{"w": value, "x": 1}])[0]["w"].tolist()


def faults(rows: Rows, body, place: str = "/{row}/{name}") -> list[Fault]:
    with pytest.raises(InvalidInput) as caught:
        rows.load(body, place)
    assert caught.value.example == {"w": "the cat", "x": 0}
    return list(caught.value.faults)


def test_inputs_come_in_the_signatures_order_whatever_the_bodys():
    [row] = tokens().load([{"x": 1, "w": "cat"}])
    assert list(row) == ["w", "x"]


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_ids_have_the_signatures_dtype(dtype):
    rows = tokens(dtype=dtype)
    for value in ("the cat", [2, 3]):
        [row] = rows.load([{"w": value, "x": 1}])
        assert row["w"].dtype == np.dtype(dtype)
        assert row["x"].dtype == np.float32
        assert row["x"].shape == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("cat", [3, 0, 0]), ("the cat sat the cat", [2, 3, 4]), ([3, 0], [3, 0, 0]), ([2, 0, 3, 4], [2, 0, 3])],
    ids=["short", "long", "padded by its sender", "padding between"],
)
def test_a_fixed_length_is_padded_or_cut_to(value, expected):
    assert ids(tokens(length=3), value) == expected


def test_padding_is_whatever_id_the_card_says():
    rows = tokens(pad_id=5)
    assert ids(rows, [0, 2, 5]) == [0, 2]
    assert ids(tokens(pad_id=5, length=3), "cat") == [3, 5, 5]
    assert faults(rows, [{"w": [5, 5], "x": 1}]) == [Fault("/0/w", "expected at least one word")]


def test_the_longest_row_is_counted_without_its_padding():
    assert len(ids(tokens(), [2, 2, 2, 2, 0, 0])) == 4
    assert faults(tokens(), [{"w": [2] * 5, "x": 1}]) == [Fault("/0/w", "expected at most 4 words, got 5")]


def test_every_id_of_the_vocabulary_may_be_sent_and_none_beyond():
    assert ids(tokens(), [1, 5]) == [1, 5]
    assert faults(tokens(), [{"w": [1, 6], "x": 1}]) == [Fault("/0/w/1", "expected a token id from 0 to 5, got 6")]
    assert faults(tokens(), [{"w": [-(2**63)], "x": 1}]) == [
        Fault("/0/w/0", f"expected a token id from 0 to 5, got {-(2**63)}")
    ]


def test_the_place_of_a_fault_follows_the_pattern():
    body = [{"w": [1, 9], "x": "1"}, {}]
    assert [fault.pointer for fault in faults(tokens(), body, "/in/{name}/{row}")] == [
        "/in/w/0/1",
        "/in/x/0",
        "/in/w/1",
        "/in/x/1",
    ]
    assert [fault.pointer for fault in faults(tokens(), [7], "/{name}")] == [""]
    assert [fault.pointer for fault in faults(tokens(), [{"w": 1, "x": 1}], "/bare/{row}")] == ["/bare/0"]


def test_null_is_told_what_to_be_instead():
    assert faults(tokens(), [{"w": None, "x": None}]) == [
        Fault("/0/w", "expected a string or a list of token ids, got null"),
        Fault("/0/x", "expected a number, got null"),
    ]


def test_an_unknown_name_is_compared_with_the_known_ones():
    long = "x" * 10_000
    found = {fault.pointer: fault.detail for fault in faults(tokens(), [{"w": "cat", "x": 1, "W": 1, "y": 1, long: 1}])}
    assert found["/0/W"] == "unknown input 'W', did you mean 'w'?"
    assert found["/0/y"] == "unknown input 'y'; the inputs are w, x"
    (echoed,) = (pointer for pointer in found if pointer.startswith("/0/xx"))
    assert found[echoed].endswith("; the inputs are w, x")
    assert len(echoed + found[echoed]) < 300


def test_the_message_of_invalid_input_joins_its_faults():
    with pytest.raises(InvalidInput, match=r"^/0/w: missing input 'w'; /0/x: missing input 'x'$"):
        tokens().load([{}])


class TestQuery:
    def test_what_is_not_said_is_none(self):
        assert schemas.query({}) == (None, None, None, None)

    def test_everything_may_be_said(self):
        assert schemas.query({"version": "2", "outputs": "a", "top": "0"}) == (2, None, "a", 0)

    def test_all_faults_come_at_once(self):
        with pytest.raises(InvalidInput) as caught:
            schemas.query({"version": "0", "top": "x", "verson": "1"})
        assert {fault.pointer for fault in caught.value.faults} == {"?/version", "?/top", "?/verson"}


class TestOutputNames:
    def test_none_named_is_all(self):
        assert schemas.output_names(None, ["a", "b"]) == ["a", "b"]

    def test_spaces_do_not_matter(self):
        assert schemas.output_names(" b, a", ["a", "b"]) == ["b", "a"]

    def test_each_wrong_one_is_named(self):
        with pytest.raises(InvalidInput) as caught:
            schemas.output_names("c,a,d", ["a", "b"])
        assert [fault.detail for fault in caught.value.faults] == [
            "unknown output 'c'; the outputs are a, b",
            "unknown output 'd'; the outputs are a, b",
        ]
