"""`python -m service predict`: one row by flags, answered as the service answers it."""

import base64
import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service import __main__ as command_line
from service import loading
from service.app import create_app
from service.card import Card
from service.predict import flags, shown
from service.predict.complaints import BadCommand
from service.settings import Settings
from service.signature import Signature
from service.versions.store import Version
from tests.service import artifacts, fakes
from tests.service.server import ROOT, command, environment, read_terminal, said

Ask = Callable[..., tuple[int, str, str]]

NUMBERS = "[0.5, -1, 2]"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two versions of the toy, the older one called stable, and of the shop."""
    root = tmp_path_factory.mktemp("models")
    artifacts.toy(root)
    artifacts.toy(root, version=2)
    artifacts.shop(root)
    (root / "serving.json").write_text('{"toy": {"labels": {"stable": 1}}}', encoding="utf-8")
    (root / "photo.png").write_bytes(base64.b64decode(artifacts.png(artifacts.PHOTO)))
    return root


@pytest.fixture
def ask(models: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs the command on that store: its exit status, and what it printed."""

    def run(model: str, *arguments: str) -> tuple[int, str, str]:
        status = command_line.main(["predict", model, "--store", str(models), *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@pytest.fixture(scope="module")
def served(models: Path) -> Callable[..., Any]:
    """Asks a server's app of that store over HTTP."""
    hand, settings = fakes.Hand(), Settings(engine="onnx", store=str(models))
    handles = [
        loading.load(Version(name, number, models / name / str(number)), settings, lambda _: hand)
        for name, number in (("toy", 2), ("shop", 1))
    ]
    client = create_app(settings, fakes.catalog(handles), hand.wait).test_client()
    return lambda model, row, query="": client.post(f"/predict/{model}{query}", json=row).json


@pytest.mark.parametrize("query", [{}, {"outputs": "mood,sure"}, {"top": "1"}, {"outputs": "mood", "top": "0"}])
def test_a_row_is_answered_as_the_service_answers_it(ask, served, query):
    text = "The cat sat, very good!"
    status, out, err = ask(
        "toy", "--text", text, "--numbers", NUMBERS, *(part for name in query for part in (f"--{name}", query[name]))
    )
    asked = "?" + "&".join(f"{name}={value}" for name, value in query.items())
    assert (status, err) == (0, "")
    assert json.loads(out) == served("toy", {"text": text, "numbers": json.loads(NUMBERS)}, asked)


@pytest.mark.parametrize("worn", ["[[0.5, 0.25], [1, 0]]", "worn.npy", "worn.csv", "headed.csv"])
def test_pictures_and_series_may_be_files(ask, served, models: Path, worn):
    days = [[0.5, 0.25], [1, 0]]
    np.save(models / "worn.npy", np.array(days))
    (models / "worn.csv").write_text("0.5,0.25\n1,0\n", encoding="utf-8")
    (models / "headed.csv").write_text("in,out\n0.5,0.25\n1,0\n", encoding="utf-8")
    worn = str(models / worn) if worn.endswith(("npy", "csv")) else worn
    status, out, _ = ask("shop", "--photo", str(models / "photo.png"), "--fabric", "cotton", "--worn", worn)
    assert status == 0
    assert json.loads(out) == served(
        "shop", {"photo": artifacts.png(artifacts.PHOTO), "fabric": "cotton", "worn": days}
    )


def test_ids_and_numbers_stand_for_words_and_labels(ask):
    words = ask("toy", "--text", "the cat", "--numbers", NUMBERS)
    assert ask("toy", "--text", "[2, 3]", "--numbers", NUMBERS) == words
    assert ask("shop", "--example", "--fabric", "2") == ask("shop", "--example", "--fabric", "linen")


def test_the_example_is_the_models_own_but_for_what_is_given(ask, served):
    row = {"text": artifacts.EXAMPLE, "numbers": [0, 0, 0]}
    assert json.loads(ask("toy", "--example")[1]) == served("toy", row)
    assert json.loads(ask("toy", "--example", "--numbers", NUMBERS)[1]) == served(
        "toy", row | {"numbers": [0.5, -1, 2]}
    )


def test_a_model_that_is_asked_nothing_says_what_it_needs(ask):
    status, out, err = ask("shop")
    assert (status, out) == (2, "")
    assert "--photo   Photo: a PNG or JPEG file, 6 × 4 or of that aspect ratio, in colour" in err
    assert "--fabric  Fabric: one of wool, cotton, linen" in err
    assert "--worn    Days worn, inside and outside: up to 5 × 2 numbers, in days, each from 0 to 1" in err
    assert err.endswith("For example: python -m service predict shop --example\n")


def test_help_has_the_models_inputs_and_an_example_that_works(ask, capsys):
    with pytest.raises(SystemExit) as ended:
        ask("toy", "--help")
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert re.search(r"--text TEXT +Words: a text of up to 12 words\n", told)
    assert re.search(r"--numbers JSON +a list of 3 in JSON\n", told)
    assert "Answers with: Score, Mood, Sure." in told
    assert "predict toy --text 'The cat sat on the mat.' --numbers '[0.0, 0.0, 0.0]'" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--txt", "a"], "toy has no flag '--txt', did you mean '--text'?"),
        (["--ouptuts=mood"], "toy has no flag '--ouptuts', did you mean '--outputs'?"),
        (["the", "cat"], "'the' stands alone: a value follows its flag; --text TEXT --numbers JSON"),
        (["--text"], "argument --text: expected one argument"),
        (["--text", "cat"], "numbers: missing input 'numbers'"),
        (
            ["--text", "", "--numbers", "[1, 2]"],
            "text: expected at least one word; numbers: expected 3 elements, got 2",
        ),
        (["--text", "cat", "--numbers", '[1, 2, "x"]'], 'numbers[2]: expected a number, got the string "x"'),
        (["--text", "cat", "--numbers", "none.npy"], "numbers: none.npy cannot be read: No such file or directory"),
        (["--text", "-", "--numbers", "-"], "only one input can come from standard input"),
        (["--text", "\udcff"], "text: expected text in UTF-8"),
        (["--outputs", "mod"], "outputs: unknown output 'mod'; the outputs are score, mood, sure"),
        (["--top", "many"], "top: expected an integer from 0 to 1000"),
        (["--version", "3"], "toy has no version 3; there is 2, 1"),
        (["--label", "stabel"], "toy has no label 'stabel', did you mean 'stable'?"),
        (["--label", "stable", "--version", "1"], "label: expected a version or a label, got both"),
        (["--out", "a.csv"], "--out is for the answers to a --file of rows"),
        (["--file", "a.csv", "--text", "cat"], "--file brings the rows: no input beside it, and no --example"),
    ],
)
def test_a_mistake_is_one_message_and_status_2(ask, arguments, told):
    assert ask("toy", *arguments) == (2, "", f"{told}\n")


def test_of_a_model_nobody_knows_others_are_named(ask, models: Path, tmp_path: Path):
    assert ask("toi")[2] == f"the store {models} has no model 'toi', did you mean 'toy'?\n"
    assert ask("zebra")[2] == f"the store {models} has no model 'zebra'; the models are shop, toy\n"
    assert ask("")[2] == f"which model? In the store {models} there is shop, toy\n"
    assert ask("toy", "--store", str(tmp_path))[2] == f"the store {tmp_path} has no model 'toy': it holds none\n"
    assert command_line.main(["predict", "--store", str(models)]) == 2


@pytest.mark.parametrize(("arguments", "version"), [([], 2), (["--version", "1"], 1), (["--label", "stable"], 1)])
def test_the_version_is_that_of_a_server_unless_one_is_named(ask, capsys, arguments, version):
    with pytest.raises(SystemExit):
        ask("toy", *arguments, "--help")
    assert f"A toy, version {version}." in capsys.readouterr().out


def test_a_version_that_cannot_be_loaded_says_why(ask, tmp_path: Path):
    folder = artifacts.toy(tmp_path)
    (folder / "assets.extra" / "model.onnx").write_bytes(b"no twin")
    status, out, err = ask("toy", "--store", str(tmp_path), "--example")
    assert (status, out) == (2, "")
    assert err.startswith("toy, version 1, cannot be loaded: InvalidProtobuf: ")
    assert err.count("\n") == 1


def test_an_answer_that_is_no_number_is_refused_where_the_policy_says_so(ask, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MANIFOLD_ENGINE", "onnx")
    artifacts.half(tmp_path)
    arguments = ("half", "--store", str(tmp_path), "--x", "[60000, 1, 1]")
    assert ask(*arguments) == (0, '{"y":[null,2.0,2.0]}\n', "")
    (tmp_path / "serving.json").write_text('{"half": {"nan": "refuse"}}', encoding="utf-8")
    assert ask(*arguments) == (2, "", "the model's answer has NaN or infinity in 'y'\n")


def test_an_input_that_is_called_as_a_flag_gets_another():
    specs = fakes.specs(top=("float32", (None, 1)), help=("float32", (None, 1)), x=("float32", (None, 1)))
    handle = fakes.handle(fakes.FakeEngine(Signature(specs, specs)), fakes.Hand())
    assert flags.named(handle) == {"top": "--input-top", "help": "--input-help", "x": "--x"}
    given = command_line.parser().parse_args(["predict", "fake"])
    assert flags.row(handle, flags.read(handle, ["--input-top", "[1]", "--top", "3"], given)) == {"top": [1]}
    with pytest.raises(BadCommand, match=r"no flag '--quux'; the flags are input-top, input-help, x, "):
        flags.read(handle, ["--quux", "[1]"], given)


def test_strings_and_tables_are_shown_too():
    told = shown.answer(Card(), {"name": "a\nb", "flags": [True, False], "matrix": [[0.5, -12.25], [1, 2]]})
    assert told.splitlines() == [
        "name    a b",
        "flags   True  False",
        "matrix  2 × 2 numbers",
        "      0.50  -12.25",
        "      1.00    2.00",
    ]
    assert "3 × 3 × 3 numbers from 0 to 26, 13 on average" in shown.answer(
        Card(), {"cube": np.arange(27).reshape(3, 3, 3)}
    )


def test_on_a_terminal_people_read_the_answer(models: Path):
    master, slave = pty.openpty()
    process = subprocess.run(
        command("predict", "toy", "--store", str(models), "--text", "-", "--numbers", NUMBERS),
        cwd=ROOT, env=environment(), input=b"the cat\n", stdout=slave, stderr=subprocess.PIPE, check=True,
    )  # fmt: skip
    os.close(slave)
    told = read_terminal(master).splitlines()
    assert process.stderr == b""
    assert told[0].startswith("Score  ")
    assert told[0].endswith(" points")
    assert told[1].startswith("Mood   ")
    assert sorted(line.split()[0] for line in told[2:5]) == sorted(artifacts.MOODS)
    assert any("█" in line for line in told[2:5])
    assert told[5].startswith("Sure   ")


def test_neither_tensorflow_nor_a_server_is_loaded(models: Path):
    code = f"""
import sys
from service.__main__ import main
main(["predict", "toy", "--store", {str(models)!r}, "--example", "--outputs", "sure", "--json"])
print(*sorted({{"tensorflow", "flask", "werkzeug", "gunicorn", "onnxruntime"}} & set(sys.modules)))
"""
    assert said(code)[1:] == ["onnxruntime"]
