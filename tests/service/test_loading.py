"""From a folder to a handle: which engine, and nothing served that answers wrongly."""

import json
import shutil
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import pytest

from service import card as cards
from service import golden, loading, tensors
from service.batching.cost import Cost
from service.batching.drivers import ThreadDriver
from service.batching.jobs import Terms
from service.card import Card
from service.engines.onnx import REDUCED, TWIN, OnnxEngine
from service.loading import CannotServe, Shared, Worker, load, serve
from service.settings import Settings
from service.signature import Signature
from service.versions.store import Version
from tests.service import artifacts
from tests.service.fakes import FakeEngine, Hand, PricedEngine, handle, specs, weighted

ONNX = Settings(engine="onnx")


def version(folder: Path) -> Version:
    return Version(folder.parent.name, int(folder.name), folder)


def kind_of(size: int) -> Hashable:
    return tensors.kind({"x": np.zeros((1, size), np.float32)})


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A toy's folder, to be changed."""
    return artifacts.toy(tmp_path)


def without_agreement(folder: Path) -> Path:
    file = folder / cards.CARD
    document = json.loads(file.read_text())
    document["verified"]["twin"]["kept"] = False
    file.write_text(json.dumps(document))
    return folder


class TestWhichEngine:
    def test_auto_takes_a_twin_that_agreed(self, toy: Path):
        assert load(version(toy), Settings(), lambda _: Hand()).engine.name == "onnx"

    def test_auto_takes_the_saved_model_if_the_twin_did_not_agree(self, toy: Path):
        from tests.service import saved_models

        saved_models.toy(without_agreement(toy))
        assert load(version(toy), Settings(), lambda _: Hand()).engine.name == "saved_model"

    def test_auto_takes_the_saved_model_if_there_is_no_twin(self, toy: Path):
        from tests.service import saved_models

        saved_models.toy(toy)
        (toy / TWIN).unlink()
        assert load(version(toy), Settings(), lambda _: Hand()).engine.name == "saved_model"

    def test_onnx_takes_the_twin_whatever_the_card_says(self, toy: Path):
        assert isinstance(loading.load_engine(without_agreement(toy), Card(), ONNX), OnnxEngine)

    def test_onnx_without_a_twin_is_refused(self, toy: Path):
        (toy / TWIN).unlink()
        with pytest.raises(CannotServe, match=r"engine is onnx, but .* has no assets.extra/model.onnx"):
            load(version(toy), ONNX, lambda _: Hand())

    def test_saved_model_takes_the_saved_model_beside_a_twin(self, toy: Path):
        from tests.service import saved_models

        saved_models.toy(toy)
        handle = load(version(toy), Settings(engine="saved_model"), lambda _: Hand())
        assert handle.engine.name == "saved_model"
        assert handle.card.title == "A toy"


def with_reduced(folder: Path, off_by: float = 0.0, *, kept: bool = True) -> Path:
    """Beside the twin one of reduced precision, its answers shifted; the card allows 0.05."""
    shifted = artifacts.toy(folder.parent / "shifted", twin_off_by=off_by)
    shutil.copy(shifted / TWIN, folder / REDUCED)
    document = json.loads((folder / cards.CARD).read_text())
    document["verified"]["reduced"] = {"kept": kept, "tolerance": 0.05}
    (folder / cards.CARD).write_text(json.dumps(document))
    return folder


class TestWhichPrecision:
    def asked(self, folder: Path, precision: str) -> float:
        """How far the chosen engine is off the golden answers."""
        handle = load(version(folder), Settings(precision=precision), lambda _: Hand())
        return max(off for _, off in golden.differences(handle.engine, golden.read(folder)))

    def test_the_full_twin_computes_unless_the_other_is_asked_for(self, toy: Path):
        folder = with_reduced(toy, 0.001)
        assert self.asked(folder, "full") <= golden.TOLERANCE < self.asked(folder, "reduced")

    def test_a_reduced_twin_that_was_not_kept_is_not_served(self, toy: Path):
        assert self.asked(with_reduced(toy, 0.001, kept=False), "reduced") <= golden.TOLERANCE

    def test_where_there_is_no_reduced_twin_the_full_one_computes(self, toy: Path):
        assert self.asked(toy, "reduced") <= golden.TOLERANCE

    def test_a_reduced_twin_is_held_to_the_tolerance_of_its_card(self, toy: Path):
        with pytest.raises(golden.WrongAnswers, match=r"0\.05 is allowed"):
            self.asked(with_reduced(toy, 1.0), "reduced")


class TestWhatIsRefused:
    def test_wrong_golden_answers(self, tmp_path: Path):
        folder = artifacts.toy(tmp_path, golden_off_by=0.01)
        with pytest.raises(golden.WrongAnswers, match=r"onnx is 0\.0\d* off the golden answers of (score|mood|sure)"):
            load(version(folder), ONNX, lambda _: Hand())

    def test_a_twin_with_other_weights(self, tmp_path: Path):
        folder = artifacts.toy(tmp_path, twin_off_by=0.1)
        with pytest.raises(golden.WrongAnswers, match="golden answers of score"):
            load(version(folder), ONNX, lambda _: Hand())

    def test_a_card_that_cannot_be_read(self, toy: Path):
        (toy / cards.CARD).write_text("{")
        with pytest.raises(cards.UnreadableCard):
            load(version(toy), ONNX, lambda _: Hand())

    def test_a_missing_vocabulary(self, toy: Path):
        shutil.rmtree(toy / "assets")
        with pytest.raises(OSError, match="vocabulary"):
            load(version(toy), ONNX, lambda _: Hand())

    @pytest.mark.parametrize(
        ("inputs", "outputs", "named"),
        [
            (specs(x=("float32", (1, 3))), specs(y=("float32", (None, 1))), "x"),
            (specs(x=("float32", (None, 3))), specs(y=("float32", ())), "y"),
            (specs(a=("float32", (2,)), b=("float32", ())), specs(y=("float32", (5, 1))), "a, b, y"),
        ],
        ids=["fixed input", "scalar output", "all"],
    )
    def test_a_signature_that_cannot_be_batched(self, tmp_path: Path, inputs, outputs, named):
        engine = FakeEngine(Signature(inputs, outputs))
        with pytest.raises(CannotServe, match=f"^{named} has no free first axis"):
            serve(Version("m", 1, tmp_path), Card(), engine, Settings(), lambda _: Hand())

    @pytest.mark.parametrize("side", ["input", "output"])
    def test_a_dtype_that_json_cannot_carry(self, tmp_path: Path, side):
        numbers, complexes = ("float32", (None, 1)), ("complex64", (None, 1))
        given, taken = (complexes, numbers) if side == "input" else (numbers, complexes)
        engine = FakeEngine(Signature(specs(x=given), specs(y=taken)))
        with pytest.raises(CannotServe, match="complex64"):
            serve(Version("m", 1, tmp_path), Card(), engine, Settings(), lambda _: Hand())


class TestTheHandle:
    def test_a_third_partys_model_without_card_or_golden_rows_is_served(self, tmp_path: Path):
        from tests.service import saved_models

        saved_models.save(saved_models.Greeter(), tmp_path)
        asked: list[float] = []

        def choose(seconds: float) -> Hand:
            asked.append(seconds)
            return hand

        hand = Hand()
        handle = load(Version("greeter", 1, tmp_path), Settings(), choose)
        assert asked == [float("inf")]
        assert handle.rows.example == {"name": ""}
        rows = handle.rows.load([{"name": "Zoë"}, {"name": "Bob"}])
        prediction = handle.predict(rows, 1e18, hand.wait)
        assert prediction.in_order(lambda outputs: handle.interpret(outputs, ["greeting"], 5)) == [
            {"greeting": "hello Zoë"},
            {"greeting": "hello Bob"},
        ]

    def test_the_driver_is_chosen_by_what_a_full_batch_takes(self, toy_folder: Path, slow_folder: Path):
        asked: list[float] = []

        def choose(seconds: float) -> Hand:
            asked.append(seconds)
            return Hand()

        load(version(toy_folder), ONNX, choose)
        load(version(slow_folder), ONNX, choose)
        assert 0 < asked[0] < asked[1]

    def test_no_more_rows_make_a_batch_than_the_settings_allow(self, toy_folder: Path):
        handle = load(version(toy_folder), Settings(engine="onnx", max_batch_rows=3), lambda _: Hand())
        assert 1 <= handle.max_batch_rows <= 3

    def test_rows_of_different_lengths_share_a_batch_where_golden_rows_did(self, tmp_path: Path):
        handle = load(version(artifacts.reader(tmp_path)), ONNX, lambda _: Hand())
        assert dict(handle.engine.ragged) == {"words": "words/length"}

    def test_an_engine_that_ignores_lengths_gets_rows_of_one_length(self, tmp_path: Path, caplog):
        handle = load(version(artifacts.reader(tmp_path, listens=False)), ONNX, lambda _: Hand())
        assert dict(handle.engine.ragged) == {}
        assert "reader/1: rows of different lengths will share no batch" in caplog.text

    def test_without_golden_rows_of_different_lengths_none_share_a_batch(self, tmp_path: Path):
        folder = artifacts.reader(tmp_path)
        (folder / golden.GOLDEN).unlink()
        assert dict(load(version(folder), ONNX, lambda _: Hand()).engine.ragged) == {}

    def test_a_request_of_different_lengths_is_one_call(self, tmp_path: Path):
        hand = Hand()
        handle = load(version(artifacts.reader(tmp_path)), ONNX, lambda _: hand)
        rows = [{"words": np.arange(length, dtype=np.int32)} for length in (9, 12, 8)]
        prediction = handle.predict(rows, 1e18, hand.wait)
        assert [answer.batch_rows for answer in prediction.answers] == [3]
        [(_, outputs)] = prediction.groups
        for row, answer in zip(rows, outputs["read"], strict=True):
            [alone] = handle.engine.run({"words": row["words"][np.newaxis]})["read"]
            np.testing.assert_allclose(answer, alone, rtol=1e-6)

    def test_a_target_decides_the_rows_of_a_batch_by_its_kind(self):
        engine = PricedEngine(Cost(call=0.001, row=0.002, row_element=0.0001))
        groups = [({"x": np.zeros((2, size), np.float32)}, {}) for size in (10, 80)]
        terms, seconds = loading.warm(engine, groups, Settings(target_ms=20), engine.clock)
        assert [terms(kind_of(size)).rows for size in (5, 10, 40, 80, 400)] == [7, 6, 3, 1, 1]
        assert terms(kind_of(40))[1:] == pytest.approx((0.001, 0.006))
        assert seconds == pytest.approx(0.019)

    def test_what_the_trials_took_is_given_back(self, tmp_path: Path):
        (tmp_path / golden.GOLDEN).parent.mkdir()
        x = np.ones((1, 2), np.float32)
        np.savez(tmp_path / golden.GOLDEN, **{"0/inputs/x": x, "0/outputs/y": weighted({"x": x})["y"]})
        engine = FakeEngine()
        serve(Version("m", 1, tmp_path), Card(), engine, Settings(), Worker(lambda _: Hand(), Shared()))
        assert engine.settled == len(engine.calls) > 1

    def test_a_request_of_many_rows_is_queued_in_jobs_that_its_kind_allows(self):
        engine, hand = FakeEngine(), Hand()
        made = handle(engine, hand, terms={kind_of(2): Terms(2), kind_of(3): Terms(3)}.__getitem__)
        rows = [{"x": np.full(2 + number % 2, number, np.float32)} for number in range(11)]
        prediction = made.predict(rows, 1e18, hand.wait)
        assert sorted(len(call["x"]) for call in engine.calls) == [2, 2, 2, 2, 3]
        answers = prediction.in_order(lambda outputs: outputs["y"].ravel().tolist())
        assert answers == [number * (6 if number % 2 else 3) for number in range(11)]

    def test_a_target_that_one_row_misses_is_told(self, toy_folder: Path, caplog: pytest.LogCaptureFixture):
        load(version(toy_folder), Settings(engine="onnx", target_ms=1e-6), lambda _: Hand())
        assert "more than the target of 1e-06 ms" in caplog.text

    def test_a_thread_may_drive_it(self, toy_folder: Path):
        from service.server import wait

        handle = load(version(toy_folder), ONNX, lambda _: ThreadDriver)
        row = {"text": np.array([2], np.int32), "numbers": np.zeros(3, np.float32)}
        assert handle.predict([row], 1e12, lambda future, _: wait(future, 60)).rows == 1
        handle.close()
