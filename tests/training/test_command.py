"""python -m training: one line about a mistake, one table about a success."""

import json
import time

import pytest

from tests.training import toys
from training.__main__ import arguments, main
from training.encode import learn
from training.mistakes import Mistake
from training.pipeline import train_and_export
from training.prepare import Run, known, prepare


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "the following arguments are required: MODEL"),
        (["simlarity"], "invalid choice: 'simlarity'"),
        (["toy", "--epochs", "0"], "--epochs: 0 is not above 0"),
        (["toy", "--version", "x"], "--version: 'x' is no whole number"),
        (["toy", "--seed", "-1"], r"--seed: -1 is not in \[0, 2\^32\)"),
        (["toy", "--preset", "slow"], "--preset: invalid choice: 'slow'"),
    ],
)
def test_a_command_that_cannot_be_followed_is_a_mistake(given, message):
    with pytest.raises(Mistake, match=message) as caught:
        arguments(given, ["toy"])

    assert "\n" not in str(caught.value)


def test_a_command_says_what_is_to_be_trained():
    given = arguments(["toy", "--preset", "full", "--seed", "3", "--version", "4"], ["toy"])

    assert (given.model, given.preset, given.seed, given.version, given.epochs, str(given.store)) == (
        "toy",
        "full",
        3,
        4,
        None,
        "store",
    )


def test_a_file_is_learnt_judged_and_published(tmp_path, capsys):
    table = toys.generate(200, 1).train
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    rare = {"left": "x y", "right": "z", "overlap": 0, "colour": "mauve", "long": "no"}
    file = tmp_path / "toys.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [*rows, rare]))
    run = Run("toy", "quick", 5, tmp_path / "store", data=file)
    folder = train_and_export(prepare(toys.TASK, run), {1: toys.LIGHT, 2: toys.LIGHT}, run, time.monotonic())

    card = json.loads((folder / "assets.extra/card.json").read_text())
    out = capsys.readouterr().out.splitlines()
    assert folder == tmp_path / "store/toy/2"
    assert card["provenance"]["data"].startswith("toys.jsonl (SHA-256 ")
    assert sum(card["provenance"]["rows"].values()) == 128  # all but the one colour that is too rare to learn
    assert out[0].split() == ["output", "figure", "model", "baseline"]
    assert out[-1].startswith(str(folder))


def test_a_label_only_in_held_out_rows_is_counted_and_left_out(tmp_path, capsys):
    splits = toys.generate(100, 1)
    splits.test["colour"][0] = "mauve"
    left = known(learn(toys.TASK, splits.train), splits)

    assert len(left.test["colour"]) == 19
    assert "warning: 1 test rows dropped" in capsys.readouterr().err


def test_epochs_asked_for_replace_the_presets(tmp_path):
    assert prepare(toys.TASK, Run("toy", "quick", 0, tmp_path, epochs=9)).preset.epochs == 9


def test_a_published_version_is_refused_before_anything_is_computed(tmp_path):
    (tmp_path / "toy/4").mkdir(parents=True)
    with pytest.raises(Mistake, match="published already"):
        prepare(toys.TASK, Run("toy", "quick", 0, tmp_path, version=4))


def test_rows_must_be_left_in_every_part(capsys):
    splits = toys.generate(100, 1)
    splits.validation["colour"][:] = ["mauve"] * 16
    with pytest.raises(Mistake, match="no validation rows are left"):
        known(learn(toys.TASK, splits.train), splits)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(["simlarity"], "invalid choice: 'simlarity'", id="an unknown model"),
        pytest.param(
            ["similarity", "--data", "nowhere.csv"], "nowhere.csv: cannot be read: No such file", id="no file"
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(given, said, capsys):
    assert main(given) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("training: ")
    assert said in line
