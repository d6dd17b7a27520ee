"""Tables and lists as people have them, read as rows: nobody is asked."""

import csv
import io
import json
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.service.tables import CASES, REFUSED

CELL = {"text": {"kind": "tokens", "dims": [None]}, "grid": {"kind": "tensor", "dtype": "float32", "dims": [2, 2]}}


def call(page: Page, module: str, name: str, *arguments: Any) -> Any:
    """What a function of a module returns, or how it fails."""
    given = ", ".join(json.dumps(argument) for argument in arguments)
    return page.evaluate(
        f'async () => {{ try {{ return (await import("/console/assets/{module}")).{name}({given}) }} '
        "catch (error) { return error.message } }"
    )


def test_csv_is_read_and_written_as_rfc_4180_says(modules: Page):
    tables = {
        'a,b\r\n1,"x,""y""\nz"\r\n\r\n3,': [["a", "b"], ["1", 'x,"y"\nz'], ["3", ""]],
        "\ufeffa\tb\n1,5\t2\n": [["a", "b"], ["1,5", "2"]],
        'a;"b,c,d"\n1;2': [["a", "b,c,d"], ["1", "2"]],
        '"",1\n': [["", "1"]],
        'say "hi",2': [['say "hi"', "2"]],
        "": [],
    }
    for text, records in tables.items():
        assert call(modules, "rows/csv.js", "parse", text) == records
    assert call(modules, "rows/csv.js", "parse", 'a\n1\n"2') == 'Line 3: a quote (") is opened and never closed.'
    odd = [["a", "b"], ['1,"2"', "x\ny"], [" z ", "tab\t;"]]
    written = call(modules, "rows/csv.js", "format", odd)
    assert list(csv.reader(io.StringIO(written, newline=""))) == odd
    assert call(modules, "rows/csv.js", "parse", written) == odd


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('text,grid\nhi,"[[1,2],[3,4]]"', [{"text": "hi", "grid": [[1, 2], [3, 4]]}]),
        ("grid.0.0,grid.0.1,grid.1.0,grid.1.1,text\n1,2,3,4,hi", [{"text": "hi", "grid": [[1, 2], [3, 4]]}]),
        ('[{"text": "hi", "grid": 1}]', [{"text": "hi", "grid": 1}]),
        ('{"text": "hi"}', [{"text": "hi"}]),
    ],
)
def test_rows_are_read_from_tables_and_lists(modules: Page, text, rows):
    read = call(modules, "rows/read.js", "read", text, CELL)
    assert [one["row"] for one in read["rows"]] == rows
    assert all(one["faults"] == [] for one in read["rows"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wrong,grid\n1,2", "The first line names the columns, one for each input. It lacks: text."),
        ("text,grid,text\n1,2,3", "The column text is there twice."),
        ("text,grid\n", "There is no row below the names of the columns."),
        ("[]", "The list is empty: it needs a row at least."),
        ("[1, 2", "This begins like JSON, and is none: "),
    ],
)
def test_a_text_that_is_no_table_says_why(modules: Page, text, words):
    assert call(modules, "rows/read.js", "read", text, CELL).startswith(words)


@pytest.mark.parametrize(
    ("given", "cell", "words"),
    [
        ({"kind": "numbers", "dtype": "float32", "dims": []}, "old", "expected a number, got “old”"),
        ({"kind": "numbers", "dtype": "float32", "dims": []}, "", "expected a number, got nothing"),
        ({"kind": "numbers", "dtype": "float32", "dims": [2]}, "[1, ", "expected a list such as [1, 2], got “[1, ”"),
        ({"kind": "tensor", "dtype": "bool", "dims": []}, "maybe", "expected true or false, got “maybe”"),
    ],
)
def test_a_cell_that_is_no_value_says_why(modules: Page, given, cell, words):
    assert call(modules, "rows/cells.js", "value", given, cell) == words


@pytest.mark.parametrize(
    ("retry", "tries", "milliseconds"),
    [(None, 2, 1000), ("3", 1, 3000), ("1", 4, 2000), ("900", 1, 30_000), ("Wed, 21 Oct 2026 07:28:00 GMT", 1, 500)],
)
def test_a_busy_service_is_asked_again_when_it_says(modules: Page, retry, tries, milliseconds):
    assert call(modules, "rows/ask.js", "wait", {"retry": retry}, tries) == milliseconds


def test_cells_tables_and_names_are_what_the_command_makes_of_them(modules: Page):
    for case in CASES["cells"]:
        found = call(modules, "rows/cells.js", "value", {"dtype": "float32"} | case, case["cell"])
        refused = isinstance(found, str) and found.startswith("expected ")
        assert (REFUSED if refused else found) == case["value"], case
    inputs = json.loads(modules.locator("#model").inner_text())["inputs"]
    for case in CASES["tables"]:
        read = call(modules, "rows/read.js", "read", case["text"], inputs)
        rows = REFUSED if isinstance(read, str) else [REFUSED if one["faults"] else one["row"] for one in read["rows"]]
        assert rows == case["rows"], case
    for case in CASES["names"]:
        script = 'async ([inputs, output]) => (await import("/console/assets/rows/results.js")).free(inputs)(output)'
        assert modules.evaluate(script, [case["inputs"], case["output"]]) == case["name"], case
