"""`python -m service predict --file`: every row of a file answered, in order, whole or not at all."""

import base64
import csv
import io
import json
import os
import pty
import random
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import __main__ as command_line
from service.batching.drivers import ThreadDriver
from service.card import CategoryInput, TextInput, TokensInput
from service.nested import Misfit, to_array
from service.predict import source, table
from service.predict.columns import Columns
from service.predict.complaints import BadFile
from service.predict.records import Counted, Record
from service.predict.source import json_array
from service.predict.values import Reading, readings
from service.predict.written import FORMS, Wanted, free
from service.signature import TensorSpec
from tests.service import artifacts, fakes
from tests.service.server import ROOT, SECONDS, command, environment, patiently, read_terminal
from tests.service.site import Site
from tests.service.tables import CASES, REFUSED

Score = Callable[..., tuple[int, str]]

NAMES = ["text", "numbers"]
TEXTS = st.text(st.sampled_from('the cat,";\n é[]'), max_size=20).map(lambda text: f"{text}cat")
ROWS = st.lists(
    st.fixed_dictionaries({"text": TEXTS, "numbers": st.lists(st.floats(-9, 9, width=32), min_size=3, max_size=3)}),
    min_size=1,
    max_size=20,
)


@pytest.fixture(scope="module")
def asked(toy_folder: Path) -> Site:
    return Site(toy_folder)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    artifacts.toy(root)
    artifacts.shop(root)
    return root


@pytest.fixture
def score(models: Path, capfd: pytest.CaptureFixture[str]) -> Score:
    """Runs the command on that store: its exit status, and what it complained of."""

    def run(model: str, rows: Path | str, *more: str | Path) -> tuple[int, str]:
        arguments = ["predict", model, "--store", str(models), "--file", str(rows), *map(str, more)]
        status = command_line.main(arguments)
        return status, capfd.readouterr().err

    return run


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def toy_rows(count: int) -> list[dict[str, Any]]:
    dice = random.Random(3)
    return [
        {"text": " ".join(dice.choices(artifacts.VOCABULARY[2:], k=dice.randint(1, 12))), "numbers": [at, 0.5, -1]}
        for at in range(count)
    ]


def cells(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(NAMES)
    table.writerows([row["text"], json.dumps(row["numbers"])] for row in rows)
    return text.getvalue()


@settings(max_examples=25)
@given(ROWS)
def test_rows_get_the_answers_of_the_service(tmp_path_factory, asked: Site, models: Path, rows):
    folder = tmp_path_factory.mktemp("rows")
    written(folder / "rows.csv", cells(rows))
    arguments = ["predict", "toy", "--store", str(models), "--file", str(folder / "rows.csv")]
    assert command_line.main([*arguments, "--out", str(folder / "answers.csv")]) == 0
    answers = asked.predict("toy", rows).json
    for row, answer, found in zip(rows, answers, read(folder / "answers.csv"), strict=True):
        assert (found["text"], json.loads(found["numbers"])) == (row["text"], row["numbers"])
        assert float(found["score"]) == pytest.approx(answer["score"]["value"], rel=1e-5, abs=1e-6)
        assert found["score.unit"] == "points"
        assert float(found["mood.probability"]) == pytest.approx(answer["mood"]["probability"], rel=1e-5)
        assert float(found["sure.probability"]) == pytest.approx(answer["sure"]["probability"], rel=1e-5)
        assert found["mood"] == answer["mood"]["label"]


def test_cells_tables_and_names_are_what_the_console_makes_of_them(asked: Site):
    for case in CASES["cells"]:
        dtype = np.dtype({"string": "O"}.get(case.get("dtype", ""), case.get("dtype", "float32")))
        meaning = {
            "category": CategoryInput(tuple(case.get("labels", ()))),
            "tokens": TokensInput(9, 0, 1, None, 9, "assets/x.vocabulary.txt"),
            "text": TextInput(tuple(case.get("dims", ()))),
        }.get(case["kind"])
        spec = TensorSpec("x", dtype, (None, *case.get("dims", ())))
        found = Reading(spec, meaning).parse(case["cell"])
        if case["value"] == REFUSED:
            with pytest.raises(Misfit):
                to_array(found, dtype, spec.dims)
        else:
            assert found == case["value"], case
    handle = asked.catalog.get("toy")
    for case in CASES["tables"]:
        columns = Columns(readings(handle))
        text = Counted(io.BytesIO(case["text"].encode()), "rows.csv")
        try:
            records = list(source.table(text, columns.check))
        except BadFile:
            assert case["rows"] == REFUSED, case
        else:
            assert [REFUSED if one.fault else columns.row(one) for one in records] == case["rows"], case
    for case in CASES["names"]:
        assert free(case["output"], case["inputs"]) == case["name"], case
    head = FORMS[".csv"](handle, Columns(readings(handle)), Wanted(list(handle.signature.outputs))).head
    assert head.decode().strip().split(",") == CASES["columns"]


def test_many_rows_keep_their_order(score: Score, tmp_path: Path):
    rows = written(tmp_path / "rows.csv", cells(toy_rows(1500)))
    assert score("toy", rows, "--out", tmp_path / "answers.csv") == (0, "")
    answers = read(tmp_path / "answers.csv")
    assert [json.loads(row["numbers"])[0] for row in answers] == list(range(1500))
    alone = written(tmp_path / "alone.csv", cells(toy_rows(1500)[1234:1235]))
    assert score("toy", alone, "--out", tmp_path / "one.csv") == (0, "")
    assert float(read(tmp_path / "one.csv")[0]["score"]) == pytest.approx(float(answers[1234]["score"]), rel=1e-5)


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".json"])
def test_json_comes_back_as_it_was_sent_with_the_services_answers(score: Score, asked: Site, tmp_path: Path, ending):
    rows = toy_rows(3)
    text = json.dumps(rows) if ending == ".json" else "\n".join(map(json.dumps, rows))
    status = score("toy", written(tmp_path / f"rows{ending}", text), "--out", tmp_path / f"answers{ending}")
    assert status == (0, "")
    found = (tmp_path / f"answers{ending}").read_text("utf-8")
    answers = json.loads(found) if ending == ".json" else [json.loads(line) for line in found.splitlines()]
    wanted = asked.predict("toy", rows, "?top=0").json
    assert [{**row, **dict.fromkeys(answer)} for row, answer in zip(rows, wanted, strict=True)] == [
        {**answer, **dict.fromkeys(wanted[0])} for answer in answers
    ]
    assert [answer["mood"]["label"] for answer in answers] == [answer["mood"]["label"] for answer in wanted]


def test_one_form_becomes_another(score: Score, tmp_path: Path):
    rows = written(tmp_path / "rows.csv", "id,text,numbers.1,numbers.0,numbers.2\n7,cat,2,1,3\n")
    out = tmp_path / "answers.jsonl"
    assert score("toy", rows, "--keep", "id", "--out", out, "--outputs", "sure") == (0, "")
    found = json.loads(out.read_text("utf-8"))
    assert (found["id"], found["text"], found["numbers"]) == ("7", "cat", [1, 2, 3])
    assert set(found["sure"]) == {"label", "probability"}
    back = tmp_path / "answers.csv"
    assert score("toy", out, "--keep", "id,sure", "--out", back, "--top", "2", "--outputs", "mood,sure") == (0, "")
    (row,) = read(back)
    assert (row["id"], row["text"], row["numbers"]) == ("7", "cat", "[1,2,3]")
    assert json.loads(row["mood.top"])[0][0] == row["mood"]
    assert json.loads(row["sure"])["label"] == row["answer.sure"]  # a column of that name was there before
    assert score("toy", rows, "--keep", "id", "--out", back, "--answers-only", "--outputs", "score") == (0, "")
    assert list(read(back)[0]) == ["score", "score.unit"]


def test_pictures_lie_beside_the_table(score: Score, tmp_path: Path):
    (tmp_path / "photo.png").write_bytes(base64.b64decode(artifacts.png(artifacts.PHOTO)))
    (tmp_path / "worn.csv").write_text("0.5,0.25\n", encoding="utf-8")
    text = f'photo,fabric,worn\nphoto.png,wool,worn.csv\n{artifacts.png(artifacts.PHOTO)},0,"[[0.5, 0.25]]"\n'
    assert score("shop", written(tmp_path / "rows.csv", text), "--out", tmp_path / "answers.csv") == (0, "")
    one, other = read(tmp_path / "answers.csv")
    assert (one["photo"], one["price"], one["size"]) == ("photo.png", other["price"], other["size"])
    assert list(one)[3:] == ["price", "price.unit", "size", "size.unit", "style", "style.probability"]


BAD = 'text,numbers\ncat,"[1, 2, 3]"\n"the\ncat","[1, 2, 3]"\ncat,"[1, 2]"\ncat\n,"[1, 2, 3]"\n'


def test_a_bad_row_stops_it_and_leaves_what_was_there(score: Score, tmp_path: Path):
    out = written(tmp_path / "answers.csv", "mine")
    status, told = score("toy", written(tmp_path / "rows.csv", BAD), "--out", out)
    assert (status, told) == (2, f"{tmp_path}/rows.csv:5: numbers: expected 3 elements, got 2 (--skip-bad goes on)\n")
    assert out.read_text("utf-8") == "mine"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answers.csv", "rows.csv"]


def test_bad_rows_are_skipped_with_a_reason(score: Score, tmp_path: Path):
    rows = written(tmp_path / "rows.csv", BAD)
    status, told = score("toy", rows, "--out", tmp_path / "answers.csv", "--skip-bad")
    assert (status, told) == (0, "3 of 5 rows are bad: the column error says why\n")
    answers = read(tmp_path / "answers.csv")
    faults = [row["error"] for row in answers]
    assert faults[:4] == ["", "", "numbers: expected 3 elements, got 2", "expected 2 cells, got 1"]
    assert faults[4] == "text: expected at least one word"
    assert [bool(row["score"]) for row in answers] == [not fault for fault in faults]


def test_bad_lines_of_json_are_skipped_too(score: Score, tmp_path: Path):
    good = json.dumps(toy_rows(1)[0])
    text = f'{good}\n\n{{"text": \n[1]\n{{"text": "cat", "numbers": [1, 2, 123456789012345678901234567890], "x": 1}}\n'
    rows = written(tmp_path / "rows.jsonl", text)
    assert score("toy", rows, "--out", tmp_path / "answers.jsonl", "--skip-bad")[0] == 0
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text("utf-8").splitlines()]
    assert answers[0]["error"] is None
    assert answers[1]["error"].startswith("this is no JSON: ")
    assert answers[2]["error"] == "expected an object of named inputs, got a list of 1"
    assert "unknown input 'x'" in answers[3]["error"]
    assert "mood" not in answers[3]


def test_a_row_that_the_model_fails_on_fails_alone(tmp_path: Path):
    handle = fakes.handle(fakes.FakeEngine(), ThreadDriver)
    rows = written(tmp_path / "rows.csv", f"x.0,x.1\n1,2\n{fakes.RAISES},2\n3,4\n")
    files = table.Files(str(rows), str(tmp_path / "answers.csv"))
    assert table.score(handle, files, Wanted(["y"], errors=True), [], lines=False) == 0
    handle.close()
    found = [(row["y"], row["error"]) for row in read(tmp_path / "answers.csv")]
    assert found == [("[5.0]", ""), ("", "RuntimeError: poisoned row"), ("[11.0]", "")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a header of the inputs' names, got an empty file"),
        (",text,numbers\n", ":1: a column has no name (pandas writes its index so, unless told index=False)"),
        ("txt,numbers\n", ":1: no input is called 'txt', did you mean 'text'? (--keep txt takes it along); there"),
        ("text,text,numbers\n", ":1: the column 'text' stands twice"),
        ("text|numbers\n", "there is no column 'text'; there is no column 'numbers'"),
        ('text,numbers\n"cat\n', ":2: this is no CSV: unexpected end of data"),
        (b"text,numbers\n\xff,1\n", ":2: expected text in UTF-8"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_says_why(score: Score, tmp_path: Path, text, told):
    rows = tmp_path / "rows.csv"
    rows.write_bytes(text if isinstance(text, bytes) else text.encode())
    status, complaint = score("toy", rows, "--out", tmp_path / "answers.csv", "--skip-bad")
    assert status == 2
    assert complaint.startswith(f"{rows}:")
    assert told in complaint
    assert complaint.count("\n") == 1
    assert not (tmp_path / "answers.csv").exists()


def test_files_that_cannot_be_used_are_refused(score: Score, tmp_path: Path):
    rows = written(tmp_path / "rows.csv", cells(toy_rows(2)))
    endings = "expected a file whose name ends in .csv, .jsonl, .ndjson, .json, got "
    assert score("toy", tmp_path / "rows.xlsx") == (2, f"{endings}.xlsx\n")
    assert score("toy", rows, "--out", tmp_path / "answers") == (2, f"{endings}no ending\n")
    assert score("toy", rows, "--out", rows) == (2, f"{rows} holds the rows: the answers need another file\n")
    gone = tmp_path / "gone.csv"
    assert score("toy", gone) == (2, f"{gone} cannot be read: No such file or directory\n")
    away = tmp_path / "away" / "answers.csv"
    assert score("toy", rows, "--out", away) == (2, f"{away} cannot be written: No such file or directory\n")
    full = tmp_path / "full.csv"
    full.symlink_to("/dev/full")
    assert score("toy", rows, "--out", full) == (2, f"{full} cannot be written: No space left on device\n")
    assert full.is_symlink()


def test_a_header_alone_and_empty_json_have_no_answers(score: Score, tmp_path: Path):
    assert score("toy", written(tmp_path / "rows.csv", "text,numbers\n"), "--out", tmp_path / "a.csv") == (0, "")
    assert (tmp_path / "a.csv").read_text("utf-8").startswith("text,numbers,score,score.unit,mood,")
    assert score("toy", written(tmp_path / "rows.json", "[]"), "--out", tmp_path / "a.json") == (0, "")
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == []


class Dribble(io.BytesIO):
    """Gives a few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(3)


def elements(text: str) -> list[Record]:
    return list(json_array(Counted(Dribble(text.encode()), "rows.json"), lambda _: None))


VALUES = st.recursive(st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5), st.lists, max_leaves=5)


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3)), st.sampled_from([None, 1]))
def test_json_is_read_in_pieces_of_any_size(rows, indent):
    text = json.dumps(rows, indent=indent, ensure_ascii=False)
    found = elements(text)
    assert [record.cells for record in found] == rows
    assert [record.line for record in found] == sorted(record.line for record in found)
    assert [record.cells for record in elements("\n".join(map(json.dumps, rows)))] == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"x": 1},', "rows.json:1: this is no JSON: it breaks off"),
        ('[{"x": 1}\n, {"x": ', "rows.json:2: this is no JSON: Expecting value"),
        ('[{"x": 1}] {"x": 2}', "rows.json:1: this is no JSON: more follows its end"),
        ('[{"x": 1},\n{"x" 2, "y": "and so on for long"}]', "rows.json:2: this is no JSON: Expecting ':' delimiter"),
        ("[" * 100_000, "rows.json:1: this is no JSON: it is nested too deep"),
    ],
)
def test_json_that_is_broken_says_where(text, told):
    with pytest.raises(BadFile) as caught:
        list(json_array(Counted(io.BytesIO(text.encode()), "rows.json"), lambda _: None))
    assert str(caught.value) == told


def test_elements_that_are_no_objects_are_bad_rows():
    *faults, last = [record.fault for record in elements('[1, {"x": 2}, "three", NaN]')]
    expected = "expected an object of named inputs, got "
    assert faults == [f"{expected}1", "", f'{expected}the string "three"']
    assert last.startswith("this is no JSON: unexpected character")


def run(models: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    line = command("predict", "toy", "--store", str(models), *arguments)
    return subprocess.run(line, cwd=ROOT, env=environment(), check=False, timeout=SECONDS, **more)


@pytest.mark.parametrize(("text", "first"), [(cells(toy_rows(2)), b"text,"), (json.dumps(toy_rows(2)), b"[\n")])
def test_in_pipes_there_are_answers_and_no_progress(models: Path, text, first):
    done = run(models, "--file", "-", "--outputs", "sure", input=text.encode(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(first)
    assert len(done.stdout.splitlines()) == (3 if first == b"text," else 4)


def test_a_reader_that_has_seen_enough_is_no_error(models: Path, tmp_path: Path):
    rows = written(tmp_path / "rows.csv", cells(toy_rows(3000)))
    line = [*command("predict", "toy", "--store", str(models)), "--file", str(rows)]
    with subprocess.Popen(line, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"text,")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_on_a_terminal_there_is_a_bar(models: Path, tmp_path: Path):
    rows = written(tmp_path / "rows.csv", cells(toy_rows(500)))
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 100))
    done = run(models, "--file", str(rows), "--out", str(tmp_path / "answers.csv"), stderr=slave)
    os.close(slave)
    told = read_terminal(master)
    assert done.returncode == 0
    assert "500/500" in told
    assert "rows/s" in told


HEARING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
"""As in a terminal: what a shell runs in the background ignores SIGINT, and so would what that starts. (No preexec_fn:
a fork without exec at once may abort where other threads are in gRPC, and other tests' are.)"""


@pytest.fixture
def halfway(models: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that waits for more rows, and has begun to write."""
    line = [*command("predict", "toy", "--store", str(models)), "--file", "-", "--out", str(tmp_path / "answers.csv")]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HEARING, *line], cwd=ROOT, env=environment(), **pipes) as process:
        process.stdin.write(cells(toy_rows(1000)).encode())
        process.stdin.flush()
        for _ in patiently():
            assert process.poll() is None, process.stderr.read()
            if list(tmp_path.iterdir()):
                break
        yield process
        process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_finds_no_file(halfway, tmp_path: Path, how):
    halfway.send_signal(how)
    assert halfway.wait(SECONDS) == 130
    assert b"rows; nothing was written" in halfway.stderr.read()
    assert list(tmp_path.iterdir()) == []
