"""A person's own file is read in three formats; what is wrong with it is said all at once, by line."""

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.training import toys
from training.formats import files
from training.mistakes import DataMistake
from training.task import Category, Image, Numbers, Probabilities, Tokens
from training.words import split as words

GOOD = {"left": "red, x", "right": "y", "overlap": 0.5, "colour": "red", "long": "yes"}
HEADER = "left,right,overlap,colour,long"


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


def rows(*changes, problems):
    return "a.jsonl", lines(*({**GOOD, **change} for change in changes)), problems


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "CSV"])
def test_the_same_rows_are_read_from(tmp_path, ending):
    file, frame = tmp_path / f"rows.{ending}", pd.DataFrame([GOOD, {**GOOD, "left": "a\nb"}]).assign(other=1)
    {
        "csv": lambda: frame.to_csv(file, index=False),
        "jsonl": lambda: frame.to_json(file, orient="records", lines=True),
        "parquet": lambda: frame.to_parquet(file),
    }[ending.lower()]()

    assert files.read(file, toys.TASK) == {
        "left": ["red, x", "a\nb"],
        "right": ["y", "y"],
        "overlap": [0.5, 0.5],
        "colour": ["red", "red"],
        "long": ["yes", "yes"],
    }


FAULTS = [
    ("a.txt", "", ["unknown kind of file; its name must end in .csv, .jsonl, .parquet"]),
    ("a.csv", "", ["holds no rows"]),
    ("a.csv", f"{HEADER}\n", ["holds no rows"]),
    ("a.jsonl", "\n\n", ["holds no rows"]),
    ("a.csv", "left,colour\na,red\n", ["no column right, overlap, long; it has left, colour"]),
    ("a.jsonl", lines({"left": "a"}), ["no column right, overlap, colour, long; it has left"]),
    ("a.csv", b"left\n\xff\n", ["is not UTF-8: invalid start byte at byte 5"]),
    ("a.parquet", "no", ["is not a Parquet file: "]),
    (
        "a.csv",
        f'{HEADER}\n"a\nb",b,0,red,no\na,b,0\na,b,x,red,no\n',
        ["line 4: has 3 fields, the header has 5", "line 5: overlap is 'x', not a number"],
    ),
    ("a.csv", f'{HEADER}\na,b,0,red,no\n"a', ["line 3: is not CSV: unexpected end of data"]),
    ("a.jsonl", lines(GOOD) + "{\n[1]\n", ["line 2: is not JSON: ", "line 3: is not a JSON object"]),
    rows({"left": "?!"}, {"right": None}, problems=["line 1: left has no words", "line 2: right is missing"]),
    rows({"left": 7, "right": " "}, problems=["line 1: left is 7, not text", "line 1: right is empty"]),
    rows({"left": "a " * 1_001}, problems=["line 1: left has 1001 words, at most 1000 are served"]),
    rows(
        {"overlap": 1.5},
        {"overlap": -1},
        problems=["line 1: overlap is 1.5, above 1", "line 2: overlap is -1, below 0"],
    ),
    rows(
        {"overlap": True},
        {},
        {"overlap": "nan"},
        problems=["line 1: overlap is True, not a", "line 3: overlap is 'nan', "],
    ),
    rows(
        {"long": "perhaps"},
        {"long": 0.5},
        problems=["line 1: long is 'perhaps', not one of no, yes", "line 2: long is 0.5"],
    ),
    rows({"colour": ["red"]}, problems=["line 1: colour is ['red'], not a label"]),
]


@pytest.mark.parametrize(("name", "content", "problems"), FAULTS)
def test_every_fault_is_named(tmp_path, name, content, problems):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataMistake) as caught:
        files.read(file, toys.TASK)

    found = caught.value.problems
    assert len(found) == len(problems)
    assert all(actual.startswith(expected) for actual, expected in zip(found, problems, strict=True)), found
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataMistake, match=r"nowhere\.csv: cannot be read: No such file"):
        files.read(tmp_path / "nowhere.csv", toys.TASK)


def test_of_many_faults_the_first_ten_are_shown_and_the_rest_counted(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text(lines(*[{**GOOD, "overlap": 2}] * 25))
    with pytest.raises(DataMistake) as caught:
        files.read(file, toys.TASK)

    assert len(caught.value.problems) == 25
    assert str(caught.value).endswith("line 10: overlap is 2, above 1; and 15 more")


def test_a_whole_number_may_be_a_label_and_a_long_text_fits_a_fixed_length(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text(lines({"left": "a " * 1_001, "colour": 3}))
    task = replace(toys.TASK, inputs={"left": Tokens("", 60, length=4)}, outputs={"colour": Probabilities("")})

    assert files.read(file, task)["colour"] == ["3"]


PAIRS = st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["a", "B", "b!", "c", "d e", "e"])), min_size=60)


@given(pairs=PAIRS, seed=st.integers(0, 5))
def test_rows_with_the_same_inputs_in_any_order_stay_on_one_side(pairs, seed):
    table = {
        "left": [left for left, _ in pairs],
        "right": [right for _, right in pairs],
        "row": list(range(len(pairs))),
    }
    assume(len({key(left, right) for left, right in pairs}) >= files.FEWEST)
    splits = files.split(table, ["left", "right"], seed, "file")
    parts = [splits.train, splits.validation, splits.test]
    sides = [set(map(key, part["left"], part["right"])) for part in parts]

    assert sorted(row for part in parts for row in part["row"]) == table["row"]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides))


def key(left, right):
    """What must be equal for two rows to be one: the words of both sides, whichever comes first."""
    return tuple(sorted([tuple(words(left)), tuple(words(right))]))


def test_a_split_is_64_16_20_and_follows_the_seed():
    table = {"left": [f"word{number}" for number in range(1_000)]}
    first, again, other = (files.split(table, ["left"], seed, "file") for seed in (1, 1, 2))

    assert [len(part["left"]) for part in vars(first).values()] == [640, 160, 200]
    assert first == again != other


def test_too_few_different_rows_cannot_be_split():
    with pytest.raises(DataMistake, match="file: only 1 rows have different inputs; at least 10"):
        files.split({"left": ["a", "A!"]}, ["left"], 0, "file")


KINDS = replace(
    toys.TASK,
    inputs={
        "series": Numbers("Steps", dims=(None, 2), minimum=0, maximum=9, max_length=2),
        "picture": Image("Picture", 2, 2, channels=1),
        "brand": Category("Brand"),
    },
    outputs={"sums": Numbers("Sums", dims=(2,))},
)
PIXELS = np.array([[0, 255], [7, 8]], "uint8")
KIND = {"series": [[1, 2]], "picture": PIXELS.tolist(), "brand": "x", "sums": [1.5, 2]}


def png():
    file = io.BytesIO()
    PIL.Image.fromarray(PIXELS).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_numbers_pictures_and_categories_are_read_from(tmp_path, ending):
    (tmp_path / "dot.png").write_bytes(png())
    pictures = ["dot.png", base64.b64encode(png()).decode()]
    records = [{**KIND, "picture": picture} for picture in pictures]
    if ending == "csv":
        records = [{**record, "series": "[[1, 2]]", "sums": "[1.5, 2]"} for record in records]
    frame, file = pd.DataFrame(records), tmp_path / f"rows.{ending}"
    write = {
        "csv": lambda: frame.to_csv(file, index=False),
        "jsonl": lambda: frame.to_json(file, orient="records", lines=True),
        "parquet": lambda: frame.to_parquet(file),
    }
    write[ending]()

    table = files.read(file, KINDS)

    assert [column[0].tolist() for column in (table["series"], table["sums"])] == [[[1, 2]], [1.5, 2]]
    assert [picture.tolist() for picture in table["picture"]] == [PIXELS.tolist()] * 2
    assert table["brand"] == ["x", "x"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"series": [[1, 2, 3]]}, "series expected 2 elements, got 3"),
        ({"series": [[1, 10]]}, "series has 10, above 9"),
        ({"series": [[-1, 1]]}, "series has -1, below 0"),
        ({"series": [[1, 1]] * 3}, "series has 3 steps, at most 2 are served"),
        ({"series": "1 2"}, "series is '1 2', not numbers"),
        ({"series": None}, "series is missing"),
        ({"sums": [1, float("nan")]}, "sums expected"),
        ({"picture": [[0, 256], [0, 0]]}, "picture expected"),
        ({"picture": "no.png"}, "picture 'no.png' cannot be read: No such file or directory"),
        ({"picture": "???"}, "picture is '???', neither a file's name nor base64"),
        ({"picture": "Zm9v"}, "picture "),
        ({"brand": 1.5}, "brand is 1.5, not a label"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_field_of_another_kind_is_said(tmp_path, change, problem):
    file = tmp_path / "a.jsonl"
    file.write_text(lines(KIND, {**KIND, **change}))

    with pytest.raises(DataMistake) as mistake:
        files.read(file, KINDS)
    assert len(mistake.value.problems) == 1
    assert mistake.value.problems[0].startswith(f"line 2: {problem}")


def test_rows_with_the_same_numbers_stay_together():
    table = {"series": [np.full((1, 2), row // 2) for row in range(40)], "sums": list(range(40))}
    splits = files.split(table, ["series"], 0, "a file")

    parts = [{float(row[0, 0]) for row in part["series"]} for part in vars(splits).values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20
