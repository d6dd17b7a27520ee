"""`python -m service check`: says whether a version is right, and what it costs."""

import re
from pathlib import Path

import numpy as np
import pytest

from service import __main__ as command_line
from service import check, golden
from service.engines.onnx import OnnxEngine
from service.golden import GOLDEN
from service.loading import CannotServe
from service.versions import manifest
from tests.service import artifacts, saved_models
from tests.service.fakes import FakeEngine, specs


def checked(folder: Path) -> tuple[int, str]:
    lines: list[str] = []
    status = check.main(folder, lines.append)
    return status, "\n".join(lines)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return saved_models.toy(artifacts.toy(tmp_path))


def test_a_good_version_is_good(toy: Path):
    status, said = checked(toy)
    assert status == 0
    assert f"{toy}: A toy" in said
    assert "input  text: int32 (any, any)" in said
    assert "output mood: float32 (any, 3)" in said
    for engine in ("onnx", "saved_model"):
        assert f"ok   {engine} gives the golden answers" in said
        assert f"ok   {engine} answers a row alone as in a batch" in said
    assert "ok   the twin gives the SavedModel's answers" in said
    assert "BAD" not in said
    assert len(re.findall(r"batch +\d+: +[\d.]+ ms +\d+ rows/s", said)) == 2 * len(check.SIZES)
    assert len(re.findall(r"suggested: MANIFOLD_MAX_BATCH_ROWS=\d+ MANIFOLD_MAX_QUEUE_ROWS=\d+", said)) == 2


@pytest.mark.parametrize("listens", [True, False])
def test_rows_of_different_lengths_are_checked_together(tmp_path: Path, listens):
    engine = OnnxEngine(artifacts.reader(tmp_path, listens=listens))
    verdicts = dict(check.verify(engine, golden.read(tmp_path / "reader" / "1")))
    off = verdicts["onnx gives them to rows of different lengths in one batch"]
    assert (off <= golden.TOLERANCE) == listens


def test_a_folder_that_is_not_as_its_manifest_says_is_not_loaded(tmp_path: Path):
    folder = artifacts.toy(tmp_path)
    manifest.write(folder, "toy", 1)
    (folder / "more").touch()
    with pytest.raises(manifest.Untrusted, match="more is not listed"):
        checked(folder)


def test_a_wrong_twin_is_found(tmp_path: Path):
    folder = saved_models.toy(artifacts.toy(tmp_path, twin_off_by=0.1))
    status, said = checked(folder)
    assert status == 1
    assert "BAD  onnx gives the golden answers" in said
    assert "BAD  the twin gives the SavedModel's answers" in said
    assert "ok   saved_model gives the golden answers" in said


def test_a_twin_that_answers_nan_is_found(tmp_path: Path):
    folder = saved_models.toy(artifacts.toy(tmp_path, twin_off_by=float("nan")))
    status, said = checked(folder)
    assert status == 1
    assert "BAD  onnx gives the golden answers" in said
    assert "BAD  onnx answers a row alone as in a batch" in said
    assert "BAD  the twin gives the SavedModel's answers" in said


def test_without_golden_rows_made_up_ones_are_compared(toy: Path):
    (toy / GOLDEN).unlink()
    status, said = checked(toy)
    assert status == 0
    assert "golden answers" not in said
    assert "no golden rows; checked on made-up numbers" in said


def test_a_model_of_strings_without_a_card_can_be_checked(tmp_path: Path):
    status, said = checked(saved_models.save(saved_models.Greeter(), tmp_path))
    assert status == 0
    assert "no card, served by its signature alone" in said
    assert "input  name: string (any)" in said


def test_a_model_whose_rows_cannot_be_batched_is_refused(tmp_path: Path):
    saved_models.save(saved_models.Rankless(), tmp_path)
    with pytest.raises(CannotServe, match="has no free first axis"):
        checked(tmp_path)


@pytest.mark.parametrize("make", [Path.rmdir, lambda _: None, artifacts.toy], ids=["missing", "empty", "a store"])
def test_what_is_no_versions_folder_is_told(tmp_path: Path, make, capsys):
    make(tmp_path)
    assert command_line.main(["check", str(tmp_path)]) == 2
    assert "is no version's folder: it has no saved_model.pb" in capsys.readouterr().err


def test_a_saved_model_that_cannot_be_loaded_is_told(tmp_path: Path, capsys):
    folder = artifacts.toy(tmp_path)
    assert command_line.main(["check", str(folder)]) == 2
    assert f"{folder} cannot be loaded: " in capsys.readouterr().err


def test_the_command_line_gives_the_status(toy: Path, capsys):
    assert command_line.main(["check", str(toy)]) == 0
    assert "ok " in capsys.readouterr().out


def test_a_model_that_looks_at_its_neighbours_is_found():
    engine = FakeEngine(function=lambda inputs: {"y": inputs["x"][:, :1] - inputs["x"][:, :1].mean()})
    inputs = {"x": np.array([[1.0], [2.0]], np.float32)}
    assert check.alone_or_together(engine, inputs) == pytest.approx(0.5)


def test_unequal_shapes_and_strings_are_infinitely_far_apart():
    ones, strings = np.ones((2, 1)), np.array(["a", "b"], object)
    assert check.distance({"y": ones}, {"y": np.ones((2, 2))}) == float("inf")
    assert check.distance({"y": strings}, {"y": strings[::-1]}) == float("inf")
    assert check.distance({"y": strings}, {"y": strings.copy()}) == 0.0


def test_made_up_rows_fit_every_dtype_and_shape():
    signature = check.Signature(specs(a=("float32", (None, None, 3)), b=("object", (None,)), c=("int8", (None, 2))), {})
    rows = check.sample(signature)
    assert {name: (array.dtype.name, array.shape) for name, array in rows.items()} == {
        "a": ("float32", (8, 8, 3)),
        "b": ("object", (8,)),
        "c": ("int8", (8, 2)),
    }
