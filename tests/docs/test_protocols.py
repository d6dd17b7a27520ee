"""docs/protocols.md under test: each row of its tables names the tests that prove it, and there they are."""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "docs" / "protocols.md").read_text().splitlines()
TEST = re.compile(r"(test_\w+\.py)(?:: ((?:[Tt]est\w+\b(?!\.py)(?:, )?)+))?")
"""test_file.py, or test_file.py: TestThis, test_that."""


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def proofs() -> dict[str, str]:
    """The last cell of every row, by its first, in the tables that say `test` above it."""
    found, proved = {}, False
    for number, (line, below) in enumerate(pairwise([*LINES, ""]), start=1):
        if below.startswith("|--"):
            proved = cells(line)[-1] == "test"
        elif not line.startswith("|"):
            proved = False
        elif proved and not line.startswith("|--"):
            found[f"{number}: {cells(line)[0]}"] = cells(line)[-1]
    return found


PROOFS = proofs()


@cache
def named_in(file: str) -> set[str]:
    """The names of all tests, and classes of tests, in the one file of that name."""
    [path] = (ROOT / "tests").rglob(file)
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.lower().startswith("test")
    }


def test_there_are_tables_with_proofs() -> None:
    assert len(PROOFS) > 20


@pytest.mark.parametrize("row", PROOFS)
def test_every_row_names_tests_that_exist(row: str) -> None:
    named = TEST.findall(PROOFS[row])
    assert named, PROOFS[row]
    assert not re.sub(r"[,; ]", "", TEST.sub("", PROOFS[row])), "nothing but tests stands in the last cell"
    for file, names in named:
        assert {name for name in names.split(", ") if name} <= named_in(file), (file, names)
        assert named_in(file)
