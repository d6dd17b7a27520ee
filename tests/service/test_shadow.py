"""A second version that is asked as well: after the client, beside real traffic, and only to be compared."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY

from service import loading
from service.card import Card
from service.errors import DeadlineExceeded, EngineFailed
from service.outputs import ProbabilitiesOutput, ProbabilityOutput
from service.settings import Settings
from service.signature import Signature
from service.versions.shadow import MOST_BYTES, MOST_ROWS, REST, Shadow
from service.versions.store import Version
from tests.service import artifacts, fakes
from tests.service.fakes import (
    FAR,
    RAGGED,
    RAISES,
    SHORT,
    AtOnce,
    Clock,
    FakeEngine,
    ManualDriver,
    specs,
    weighted,
)
from tests.service.site import Site

SECONDS = 60
"""How long a test waits for what must come at once, before it fails."""


LATE = 2.0**30
"""A second far ahead of the batchers', so that no deadline has passed."""


class Pair:
    """Version 1 of a model, which answers, and version 2 in its shadow; every pair is another model's."""

    made = 0

    def __init__(
        self, first=None, second=None, cards=(None, None), drivers=(AtOnce, AtOnce), clock=None, **more
    ) -> None:
        Pair.made += 1
        self.name = f"pair{Pair.made}"
        self.clock = Clock(LATE)
        self.first_engine, self.second_engine = first or FakeEngine(), second or FakeEngine()
        self.shadow = Shadow(lambda _: None, clock or self.clock)
        self.first = fakes.handle(
            self.first_engine, drivers[0], name=self.name, card=cards[0], shadow=self.shadow, max_queue_rows=1000
        )
        self.second = fakes.handle(self.second_engine, drivers[1], name=self.name, version=2, card=cards[1], **more)
        self.shadow.target = self.second

    def ask(self, *xs):
        rows = [{"x": np.array(x, np.float32)} for x in xs]
        return self.first.predict(rows, FAR, lambda future, _: future.result(0))

    def rest(self) -> bool:
        self.clock.now += 2 * REST
        return self.shadow.step()

    def rows(self, outcome: str) -> float:
        return self.value("rows_total", outcome=outcome)

    def value(self, name: str, **labels: str) -> float:
        labels = {"model": self.name, "version": "1", "shadow": "2", **labels}
        return REGISTRY.get_sample_value(f"manifold_shadow_{name}", labels) or 0.0

    def mismatches(self) -> set[tuple[str, str]]:
        [found] = [metric for metric in REGISTRY.collect() if metric.name == "manifold_shadow_mismatches"]
        samples = [sample for sample in found.samples if sample.name.endswith("_total")]
        return {(one.labels["name"], one.labels["mismatch"]) for one in samples if one.labels["model"] == self.name}


def off_by(amount: float):
    return lambda inputs: {"y": weighted(inputs)["y"] + amount}


def test_the_shadow_is_asked_what_was_asked_once_the_answer_has_gone_out():
    pair = Pair(second=FakeEngine(function=off_by(0.02)))
    pair.ask([1, 2], [3, 4])
    assert not pair.shadow.step()
    assert pair.second_engine.calls == []
    assert pair.rest()
    assert pair.second_engine.seen() == [[1, 2], [3, 4]]
    assert pair.rows("compared") == 2
    assert pair.value("difference_count", output="y") == 1
    assert pair.value("difference_bucket", output="y", le="0.001") == 0
    assert pair.value("difference_bucket", output="y", le="0.01") == 1  # relative to 5 and 11
    assert not pair.rest()


def test_without_a_shadow_nothing_is_kept():
    pair = Pair()
    pair.shadow.target = None
    pair.ask([1])
    pair.shadow.target = pair.second
    assert not pair.rest()


@pytest.mark.parametrize("poison", [RAISES, SHORT])
def test_a_shadow_that_fails_is_counted_and_nobody_else_hears_of_it(poison):
    pair = Pair(FakeEngine(immune=True))
    assert pair.ask([poison]).groups[0][1]["y"].tolist() == [[float(poison)]]
    pair.ask([2])
    assert pair.rest()
    assert (pair.rows("failed"), pair.rows("compared")) == (1, 1)


def test_what_the_first_version_refuses_the_shadow_is_not_asked():
    pair = Pair()
    with pytest.raises(EngineFailed):
        pair.ask([RAISES])
    assert not pair.rest()


def test_a_client_that_left_before_its_answer_is_none_of_the_shadows():
    pair = Pair(drivers=(ManualDriver, AtOnce))

    def leaves(future, seconds):
        raise DeadlineExceeded

    with pytest.raises(DeadlineExceeded):
        pair.first.predict([{"x": np.ones(1, np.float32)}], FAR, leaves)
    pair.first.batcher.step()
    assert not pair.rest()
    assert pair.first_engine.calls == pair.second_engine.calls == []


class Held(AtOnce):
    """Answers at once, unless it is held."""

    held = False

    def wake(self) -> None:
        if not self.held:
            self.close()


@pytest.mark.parametrize("busy", ["first", "second"])
def test_real_rows_go_first(busy):
    pair = Pair(drivers=(Held, Held))
    pair.ask([1])
    batcher = getattr(pair, busy).batcher
    batcher._driver.held = True
    batcher.submit([fakes.job([[7]])])
    assert not pair.rest()
    batcher._driver.held = False
    batcher.step()
    assert pair.rest()
    assert pair.rows("compared") == 1


def test_beyond_so_many_rows_requests_are_skipped_and_counted():
    pair = Pair()
    for _ in range(MOST_ROWS // 8 + 3):
        pair.ask(*[[1]] * 8)
    assert pair.rows("skipped") == 24
    pair.clock.now += 2 * REST
    while pair.shadow.step():
        pass
    assert pair.rows("compared") == MOST_ROWS
    assert {len(call["x"]) for call in pair.second_engine.calls} == {8}
    pair.ask([1])
    assert pair.rest()


def test_beyond_so_many_bytes_too():
    pair = Pair(FakeEngine(immune=True))
    wide = np.zeros(MOST_BYTES // 8 + 1, np.float32)
    for _ in range(3):
        pair.ask(wide)
    assert pair.rows("skipped") == 2


def test_a_shadow_without_room_in_its_queue_is_skipped():
    pair = Pair(max_queue_rows=2)
    pair.ask([1], [1], [1])
    pair.rest()
    assert pair.rows("skipped") == 3


def test_a_shadow_that_was_let_go_is_skipped_and_then_forgotten():
    pair = Pair()
    pair.ask([1])
    pair.second.close()
    pair.rest()
    assert pair.rows("skipped") == 1
    pair.ask([1])
    pair.shadow.target = None
    assert not pair.rest()
    assert not pair.shadow._waiting


def test_whatever_goes_wrong_while_it_is_kept_the_client_has_its_answer(caplog):
    def stopped():
        raise RuntimeError("no time")

    pair = Pair(clock=stopped)
    assert pair.ask([5]).groups[0][1]["y"].tolist() == [[5.0]]
    assert "could not be kept" in caplog.text


def test_labels_are_compared_as_the_cards_read_them():
    """Each by its own card: the order of the labels may differ, and so may thresholds."""

    def mood(*columns):
        return lambda inputs: {"y": np.array([columns] * len(inputs["x"]))}

    signature = Signature(specs(x=("float32", (None, None))), specs(y=("float64", (None, 2))))
    cards = [Card(outputs={"y": ProbabilitiesOutput(labels)}) for labels in (("a", "b"), ("b", "a"))]
    same = Pair(FakeEngine(signature, mood(0.9, 0.1)), FakeEngine(signature, mood(0.1, 0.9)), cards)
    other = Pair(FakeEngine(signature, mood(0.9, 0.1)), FakeEngine(signature, mood(0.9, 0.1)), cards)
    for pair in (same, other):
        pair.ask([1], [2])
        pair.rest()
    assert same.value("other_labels_total", output="y") == 0
    assert other.value("other_labels_total", output="y") == 2


def test_a_label_above_a_threshold_is_another():
    cards = [Card(outputs={"y": ProbabilityOutput(("no", "yes"), threshold)}) for threshold in (0.5, 0.7)]
    pair = Pair(cards=cards)
    pair.ask([0.6], [0.8], [0.1])
    pair.rest()
    assert pair.value("other_labels_total", output="y") == 1


def test_what_one_of_them_lacks_or_has_otherwise_is_counted():
    takes = specs(x=("float32", (None, None)))
    first = FakeEngine(
        Signature(
            takes | specs(more=("float32", (None,))),
            specs(y=("float64", (None, 1)), z=("float64", (None,)), gone=("float64", (None,))),
        ),
        lambda inputs: {"y": weighted(inputs)["y"], "z": inputs["x"][:, 0], "gone": inputs["x"][:, 0]},
    )
    second = FakeEngine(
        Signature(takes, specs(y=("float64", (None, 1)), z=("float64", (None, 1)), new=("float64", (None,)))),
        lambda inputs: {"y": weighted(inputs)["y"], "z": inputs["x"], "new": inputs["x"][:, 0]},
    )
    pair = Pair(first, second)
    row = {"x": np.ones(1, np.float32), "more": np.array(2, np.float32)}
    pair.first.predict([row], FAR, lambda future, _: future.result(0))
    pair.rest()
    assert pair.rows("compared") == 1
    assert pair.mismatches() == {
        ("more", "untaken input"),
        ("gone", "missing output"),
        ("new", "new output"),
        ("z", "other shape"),
    }
    assert pair.value("difference_bucket", output="y", le="0.0") == 1


@pytest.mark.parametrize("says", [False, True])
def test_words_are_not_measured_against_numbers(says):
    """Whichever of the two says them."""

    def words(inputs):
        return {"y": np.full((len(inputs["x"]), 1), "word", object)}

    spoken = FakeEngine(Signature(specs(x=("float32", (None, None))), specs(y=("object", (None, 1)))), words)
    pair = Pair(*((spoken, FakeEngine()) if says else (FakeEngine(), spoken)))
    pair.ask([1.0])
    pair.rest()
    assert pair.rows("compared") == 1
    assert pair.mismatches() == {("y", "other type")}


def test_a_shadow_that_takes_something_else_is_not_asked():
    second = FakeEngine(Signature(specs(x=("float64", (None, None))), specs(y=("float64", (None, 1)))))
    pair = Pair(second=second)
    pair.ask([1])
    pair.rest()
    assert pair.rows("unread") == 1
    assert pair.mismatches() == {("x", "unread input")}
    assert second.calls == []


@pytest.mark.parametrize("change", [b"the\n", b"thee\n"])
def test_a_shadow_that_reads_other_words_is_not_asked(change, tmp_path: Path):
    folders = [artifacts.toy(tmp_path, version=number) for number in (1, 2)]
    file = folders[1] / "assets" / "text.vocabulary.txt"
    file.write_bytes(file.read_bytes().replace(b"the\n", change, 1))
    first, second = (
        loading.load(Version(f"words-{len(change)}", number, folder), Settings(engine="onnx"), lambda _: AtOnce)
        for number, folder in zip((1, 2), folders, strict=True)
    )
    assert first.rows.unlike(second.rows) == ([] if change == b"the\n" else ["text"])


@pytest.mark.parametrize("ragged", [True, False], ids=["takes lengths", "takes none"])
def test_rows_of_several_lengths_reach_the_shadow_at_their_own(ragged):
    first = FakeEngine(function=fakes.weighted_steps, ragged=RAGGED)
    second = FakeEngine(function=fakes.weighted_steps, ragged=RAGGED) if ragged else FakeEngine()
    pair = Pair(first, second)
    pair.ask([1] * 5, [1] * 7, [1] * 4)
    pair.rest()
    assert pair.rows("compared") == 3
    if ragged:
        assert [sorted(call["x/length"].tolist()) for call in second.calls] == [[4, 5, 7]]
    else:
        assert sorted(call["x"].shape for call in second.calls) == [(1, 4), (1, 5), (1, 7)]
    assert pair.value("difference_bucket", output="y", le="0.0") == pair.value("difference_count", output="y") > 0


@pytest.mark.parametrize(
    ("ask", "rows"),
    [
        (lambda site, row: site.predict("shaded", [row, row]), 2),
        (lambda site, row: site.tfs("shaded", {"instances": [row]}), 1),
        (lambda site, row: site.tfs("shaded", {"inputs": {name: [value] for name, value in row.items()}}), 1),
        (lambda site, row: site.client.post("/v2/models/shaded/infer", json=tensors(row)), 1),
    ],
    ids=["native", "rows", "columns", "open inference"],
)
def test_every_dialect_has_its_shadow(toy_folder: Path, ask, rows):
    clock = Clock(LATE)
    first, second = (
        loading.load(Version("shaded", number, toy_folder), Settings(engine="onnx"), lambda _: AtOnce)
        for number in (1, 2)
    )
    first = replace(first, shadow=Shadow(lambda _: None, clock))
    site = Site(toy_folder, [first])
    first.shadow.target = second
    asked = {"model": "shaded", "version": "1", "shadow": "2", "outcome": "compared"}
    before = REGISTRY.get_sample_value("manifold_shadow_rows_total", asked) or 0
    assert ask(site, {"text": [2, 3], "numbers": [1.0, 2.0, 3.0]}).status_code == 200
    clock.now += 2 * REST
    assert first.shadow.step()
    assert REGISTRY.get_sample_value("manifold_shadow_rows_total", asked) == before + rows


def tensors(row):
    return {
        "inputs": [
            {"name": "text", "shape": [1, 2], "datatype": "INT32", "data": row["text"]},
            {"name": "numbers", "shape": [1, 3], "datatype": "FP32", "data": row["numbers"]},
        ]
    }


def test_a_thread_of_its_own_asks():
    asked = threading.Event()

    def notes(inputs):
        asked.set()
        return weighted(inputs)

    first = fakes.handle(FakeEngine(), AtOnce, name="threaded")
    second = fakes.handle(FakeEngine(function=notes), AtOnce, name="threaded", version=2)
    first.shadow.target = second
    first.predict([{"x": np.ones(1, np.float32)}], FAR, lambda future, _: future.result(0))
    assert asked.wait(SECONDS)
    first.close()
