"""Drift: what is counted of rows, kept in constant memory, added up over workers, and what its PSI says."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prometheus_client import CollectorRegistry, generate_latest

from service.card import Card
from service.drift import bins, psi, reference, report
from service.drift.counts import HOUR, HOURS, Counts
from service.drift.features import MOST_ALONE, Seen, measure
from service.drift.psi import Verdict
from service.drift.rounds import SHARE, Rounds, over
from service.drift.watched import MOST_NUMBERS, MOST_ROWS
from service.metrics.drift import Drift
from service.versions.store import Version
from tests.service import fakes
from tests.service.fakes import FAR, RAGGED, AtOnce, Clock, FakeEngine

EDGES = {"feature": "value", "edges": [0.0, 0.0, 1.0, 4.0], "counts": [0, 40, 30, 30, 0, 0]}
FABRICS = ["wool", "silk", "linen"]
DOCUMENT: dict[str, Any] = {
    "inputs": {
        "text": {"kind": "tokens", "pad_id": 0},
        "age": {"kind": "numbers", "dims": [], "unit": "years"},
        "fabric": {"kind": "category", "labels": FABRICS},
        "stuff": {"kind": "category", "labels": FABRICS, "dims": [1]},
        "note": {"kind": "text", "dims": [1]},
        "photo": {"kind": "image"},
        "worn": {"kind": "numbers", "dims": [None, 2]},
    },
    "outputs": {
        "price": {"kind": "number", "unit": None},
        "new": {"kind": "probability"},
        "style": {"kind": "probabilities", "labels": ["bold", "plain"]},
    },
}
ROWS = {
    "text": np.array([[2, 3, 0], [1, 0, 0]]),
    "age": np.array([0.0, 3.5], np.float32),
    "fabric": np.array([2, 0]),
    "stuff": np.array([["linen"], [b"wool"]], object),
    "note": np.array([["Zoë was  here"], [b""]], object),
    "photo": np.array([[[0, 0], [255, 255]], [[7, 7], [7, 7]]], np.uint8),
    "worn": np.array([[[1, 2], [3, 4]], [[5, 6], [9, 9]]], np.float32),
}
ANSWERS = {
    "price": np.array([[1.25], [np.nan]]),
    "new": np.array([[0.25], [1.0]]),
    "style": np.array([[0.7, 0.3], [0.4, 0.6]]),
}


def features(name: str, **more: Any) -> dict[str, tuple[list[float], list[float]]]:
    side, given = ("inputs", ROWS) if name in ROWS else ("outputs", ANSWERS)
    found = measure(DOCUMENT[side][name], given[name], **more)
    return {feature: (seen.values.tolist(), seen.weights.tolist()) for feature, seen in found.items()}


class TestFeatures:
    def test_of_words_their_number_and_their_ids_a_row_weighing_one(self):
        assert features("text") == {"words": ([2, 1], [1, 1]), "vocabulary": ([2, 3, 1], [0.5, 0.5, 1])}

    def test_of_a_text_of_padding_alone_nothing_but_that(self):
        found = measure(DOCUMENT["inputs"]["text"], np.zeros((1, 4), int))
        assert (found["words"].values.tolist(), found["vocabulary"].values.tolist()) == ([0], [])

    def test_of_a_number_itself(self):
        assert features("age") == {"value": ([0, 3.5], [1, 1])}
        assert features("new") == {"probability": ([0.25, 1], [1, 1])}

    def test_of_a_label_its_number(self):
        assert features("fabric") == features("stuff") == {"label": ([2, 0], [1, 1])}

    def test_of_a_text_how_many_words_and_characters(self):
        assert features("note") == {"words": ([3, 0], [1, 1]), "characters": ([13, 0], [1, 1])}

    def test_of_a_picture_brightness_and_contrast(self):
        assert features("photo") == {"brightness": ([127.5, 7], [1, 1]), "contrast": ([127.5, 0], [1, 1])}

    def test_of_a_series_its_steps_mean_and_spread(self):
        assert features("worn")["steps"] == ([2, 2], [1, 1])
        assert features("worn")["mean"] == ([2.5, 7.25], [1, 1])

    def test_of_a_padded_series_only_its_own_steps(self):
        found = features("worn", lengths=np.array([2, 1]))
        assert (found["steps"][0], found["mean"][0], found["spread"][0]) == ([2, 1], [2.5, 5.5], [1.118, 0.5])

    def test_of_a_series_without_steps_nothing_that_is_a_number(self):
        found = measure(DOCUMENT["inputs"]["worn"], np.zeros((1, 0, 2)))
        assert found["steps"].values.tolist() == [0]
        assert np.isnan(found["mean"].values).all()

    def test_of_labels_the_most_probable_and_its_probability(self):
        assert features("style") == {"label": ([0, 1], [1, 1]), "confidence": ([0.7, 0.6], [1, 1])}

    def test_of_few_numbers_each_by_itself_of_many_mean_and_spread(self):
        few = measure({"kind": "numbers", "dims": [2, 2]}, np.arange(8.0).reshape(2, 2, 2))
        assert {name: seen.values.tolist() for name, seen in few.items()} == {
            "0,0": [0, 4],
            "0,1": [1, 5],
            "1,0": [2, 6],
            "1,1": [3, 7],
        }
        many = measure({"kind": "numbers", "dims": [MOST_ALONE + 1]}, np.ones((3, MOST_ALONE + 1)))
        assert set(many) == {"mean", "spread"}

    def test_what_a_twin_rounds_otherwise_is_the_same(self):
        spec = {"kind": "number"}
        exact, near = (measure(spec, np.array([[3.0], [1e-7]]) * by)["value"].values for by in (1, 1 + 4e-7))
        assert exact.tolist() == near.tolist()


numbers = st.floats(width=32) | st.sampled_from([0.0, 1.0, 4.0, -1.0])


class TestBins:
    ranges = bins.build({"kind": "numbers"}, EDGES)
    labels = bins.build({"labels": FABRICS}, {"feature": "label", "labels": ["silk", "wool"]})

    @given(st.lists(numbers, max_size=20))
    def test_every_number_has_one(self, values):
        counted = bins.count(self.ranges, Seen(np.array(values, float), np.ones(len(values))))
        assert counted.shape == (6,)
        assert counted.sum() == len(values)

    @pytest.mark.parametrize(
        ("value", "name"),
        [
            (-0.1, "below 0"),
            (-np.inf, "below 0"),
            (0.0, "0"),
            (0.5, "0–1"),
            (1.0, "0–1"),
            (1.1, "1–4"),
            (4.0, "1–4"),
            (4.1, "above 4"),
            (np.inf, "above 4"),
            (np.nan, "not a number"),
        ],
    )
    def test_a_number_lies_where_the_name_says(self, value, name):
        assert self.ranges.names[self.ranges.place(np.array([value]))[0]] == name

    @given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-1, 4), max_size=20))
    def test_every_label_has_one(self, values):
        placed = self.labels.place(np.array(values, np.int64))
        expected = [{0: "wool", 1: "silk"}.get(value, "other") for value in values]
        assert [self.labels.names[number] for number in placed] == expected

    def test_whole_numbers_read_so(self):
        assert bins.names([2, 2, 5, 9], "words") == ("below 2", "2", "3–5", "6–9", "above 9", "not a number")

    @pytest.mark.parametrize("edges", [[1.0], [1, 2, 2], [2, 1], [0, float("nan")], []])
    def test_edges_that_do_not_rise_are_refused(self, edges):
        with pytest.raises(ValueError, match="do not rise"):
            bins.build({}, {"feature": "value", "edges": edges})


counts = st.lists(st.integers(0, 5000), min_size=2, max_size=20)


class TestPsi:
    def test_a_worked_example(self):
        """Three bins; the halves that are added make no difference to so many rows."""
        training, recent = np.array([2e9, 5e9, 3e9]), np.array([3e9, 4e9, 3e9])
        by_hand = 0.1 * np.log(0.3 / 0.2) + (-0.1) * np.log(0.4 / 0.5) + 0 * np.log(1)
        assert psi.index(training, recent) == pytest.approx(by_hand, rel=1e-6)
        assert by_hand == pytest.approx(0.0629, abs=1e-4)

    @given(counts)
    def test_none_where_nothing_moved_and_empty_bins_count_for_nothing(self, rows):
        same = np.array(rows, float)
        assert psi.index(same, same) == 0
        assert psi.index(np.append(same, 0), np.append(same, 0)) == 0

    @given(st.data())
    def test_it_is_positive_symmetric_and_finite(self, data):
        training = np.array(data.draw(counts), float)
        recent = np.array(data.draw(st.lists(st.integers(0, 500), min_size=len(training), max_size=len(training))))
        found = psi.index(training, recent)
        assert 0 <= found < np.inf
        assert found == pytest.approx(psi.index(recent, training))

    @pytest.mark.parametrize("rows", [200, 2_000, 50_000])
    def test_rows_of_the_trainings_distribution_stay_under_the_noise(self, rows):
        random = np.random.default_rng(rows)
        shares = random.dirichlet(np.ones(11))
        training = random.multinomial(5_000, shares)
        found = [
            (psi.index(training, each), psi.chance(training, each)) for each in random.multinomial(rows, shares, 400)
        ]
        assert sum(moved > noise for moved, noise in found) <= 4
        assert np.mean([moved for moved, _ in found]) == pytest.approx(10 * (1 / rows + 1 / 5_000), rel=0.5)

    @given(arrays(np.float64, (5, 4), elements=st.integers(0, 30)))
    def test_hours_together_say_what_each_says_alone(self, hours):
        training = np.array([0.0, 5.0, 0.0, 90.0])
        for each, moved, noise in zip(hours, psi.index(training, hours), psi.chance(training, hours), strict=True):
            assert moved == pytest.approx(psi.index(training, each))
            assert noise == psi.chance(training, each)

    def test_the_noise_falls_as_rows_come(self):
        assert [round(psi.noise(11, 5_000, rows), 3) for rows in (20, 200, 2_000)] == [1.494, 0.155, 0.021]
        assert psi.noise(11, 5_000, 0) == psi.noise(11, 0, 0) == np.inf

    @pytest.mark.parametrize(
        ("moved", "noise", "verdict"),
        [
            (9.0, 0.26, Verdict.FEW),
            (0.09, 0.01, Verdict.STABLE),
            (0.1, 0.01, Verdict.MODERATE),
            (0.12, 0.13, Verdict.STABLE),
            (0.25, 0.01, Verdict.SHIFTED),
            (0.25, 0.25, Verdict.SHIFTED),
        ],
    )
    def test_the_verdict_never_says_more_than_chance(self, moved, noise, verdict):
        assert psi.verdict(moved, noise) is verdict


class Folder:
    """Of counts of two bins, at a clock moved by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock(500_000 * HOUR)

    def worker(self, bins: int = 2) -> Counts:
        return Counts(self.path, bins, self.clock)


def rows(counts: Counts) -> list[float]:
    return counts.by_hour()[1].sum(axis=0).tolist()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "counts")


class TestCounts:
    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2 * HOURS), st.integers(0, 9)), max_size=30))
    def test_workers_together_know_what_one_would(self, tmp_path_factory, added):
        together, alone = (Folder(tmp_path_factory.mktemp("counts")) for _ in range(2))
        workers, one = [together.worker() for _ in range(3)], alone.worker()
        for worker, hours, count in sorted(added, key=lambda each: each[1]):
            together.clock.now = alone.clock.now = (500_000 + hours) * HOUR
            workers[worker].add(np.array([count, 1.5]))
            one.add(np.array([count, 1.5]))
        expected = one.by_hour()[1].tolist()
        assert [worker.by_hour()[1].tolist() for worker in workers] == [expected] * 3
        for worker in (*workers, one):
            worker.close()

    def test_hours_are_kept_for_a_day_in_as_many_bytes(self, folder: Folder):
        worker = folder.worker()
        for hour in range(3 * HOURS):
            folder.clock.now = (500_000 + hour) * HOUR
            worker.add(np.array([hour, 0.0]))
        now, found = worker.by_hour()
        assert now == 500_000 + 3 * HOURS - 1
        assert found[:, 0].tolist() == list(range(2 * HOURS, 3 * HOURS))
        assert [file.stat().st_size for file in folder.path.iterdir()] == [HOURS * 3 * 8]
        folder.clock.now += HOURS * HOUR
        assert not worker.by_hour()[1].any()

    def test_who_comes_later_takes_the_file_of_one_that_is_gone(self, folder: Folder):
        first, second = folder.worker(), folder.worker()
        first.add(np.array([1.0, 0.0]))
        second.add(np.array([0.0, 1.0]))
        first.close()
        third = folder.worker()
        third.add(np.array([5.0, 0.0]))
        assert rows(second) == rows(third) == [6, 1]
        assert sorted(file.name for file in folder.path.iterdir()) == ["0", "1"]

    def test_a_file_of_other_bins_or_cut_off_is_none(self, folder: Folder):
        folder.path.mkdir()
        for name, size in (("0", 10_000), ("1", 7)):
            (folder.path / name).write_bytes(b"\1" * size)
        worker = folder.worker()
        worker.add(np.array([1.0, 2.0]))
        assert rows(worker) == rows(folder.worker()) == [1, 2]

    def test_where_nothing_can_be_written_a_worker_knows_its_own(self, folder: Folder, caplog):
        folder.path.touch()
        worker = folder.worker()
        worker.add(np.array([1.0, 2.0]))
        assert rows(worker) == [1, 2]
        assert "only this worker's rows are counted" in caplog.text


REFERENCE = {
    "inputs": {"x": [{**EDGES, "feature": feature} for feature in ("steps", "mean", "spread")]},
    "outputs": {"y": [EDGES]},
}
CARD = {
    "inputs": {"x": {"kind": "numbers", "dims": [None]}},
    "outputs": {"y": {"kind": "number", "unit": None}},
    "distribution": REFERENCE,
}


class Model:
    """The fake model, whose answer is the sum of x weighted by place, watched."""

    def __init__(self, folder: Path, card: Any = CARD, **engine: Any) -> None:
        self.clock = Clock(500_000.5 * HOUR)
        self.engine = FakeEngine(**engine)
        loaded = fakes.handle(self.engine, AtOnce, card=Card(document=card), max_queue_rows=10_000)
        self.handle = over(lambda _: loaded, folder, self.clock)(Version("fake", 1, folder))
        assert self.handle.watched is not None
        self.watched = self.handle.watched
        self.catalog = fakes.catalog([self.handle])

    def ask(self, *xs: list[float]) -> None:
        self.handle.predict([{"x": np.array(x, np.float32)} for x in xs], FAR, lambda future, _: future.result(0))

    def shown(self, side: str, name: str, feature: str) -> dict[str, Any]:
        document = report.document(CARD, self.watched)
        [found] = [one for one in document[side][name] if one["feature"] == feature]
        return found


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


class TestWatched:
    def test_what_was_asked_and_answered_is_counted_once_somebody_looks(self, model: Model):
        model.ask([0.5], [2.0])
        assert model.shown("outputs", "y", "value")["rows"] == 0
        model.watched.step()
        assert model.shown("outputs", "y", "value")["recent"] == [0, 0, 0.5, 0.5, 0, 0]
        assert model.shown("inputs", "x", "steps")["recent"] == [0, 0, 1, 0, 0, 0]

    def test_between_two_looks_it_is_the_first_request(self, model: Model):
        for x in (0.5, 9.0, 9.0):
            model.ask([x])
        model.watched.step()
        model.watched.step()
        shown = model.shown("outputs", "y", "value")
        assert (shown["rows"], shown["recent"]) == (1, [0, 0, 1, 0, 0, 0])

    def test_of_many_rows_the_first(self, model: Model):
        model.ask(*[[0.5]] * 200)
        model.watched.step()
        assert model.shown("outputs", "y", "value")["rows"] == MOST_ROWS

    def test_of_large_rows_fewer(self, model: Model):
        model.ask(*[[0.5] * (MOST_NUMBERS // 3)] * 5)
        model.watched.step()
        assert model.shown("outputs", "y", "value")["rows"] == 2

    @given(st.lists(st.lists(numbers, min_size=1, max_size=3), min_size=1, max_size=20), st.randoms())
    def test_neither_order_nor_requests_matter(self, tmp_path_factory, xs, random):
        one, other = (Model(tmp_path_factory.mktemp("model")) for _ in range(2))
        one.ask(*xs)
        one.watched.step()
        random.shuffle(xs)
        for x in xs:
            other.ask(x)
            other.watched.step()
        assert one.watched.counts.by_hour()[1].tolist() == other.watched.counts.by_hour()[1].tolist()
        for each in (one, other):
            each.watched.close()

    def test_rows_of_several_lengths_are_taken_at_their_own(self, tmp_path: Path):
        model = Model(tmp_path, function=fakes.weighted_steps, ragged=RAGGED)
        model.ask([1.0, 1.0, 1.0, 1.0], [1.0] * 5)
        model.watched.step()
        assert model.shown("inputs", "x", "spread")["recent"] == [0, 1, 0, 0, 0, 0]  # padded, it would not be 0
        assert model.shown("inputs", "x", "steps")["recent"] == [0, 0, 0, 0.5, 0.5, 0]

    def test_what_cannot_be_counted_is_logged_once_and_nobodys_error(self, tmp_path: Path, caplog):
        card = json.loads(json.dumps(CARD))
        card["inputs"]["gone"], card["distribution"]["inputs"]["gone"] = card["inputs"]["x"], REFERENCE["inputs"]["x"]
        model = Model(tmp_path, card)
        for _ in range(3):
            model.ask([1.0])
            model.watched.step()
        assert [record.levelname for record in caplog.records].count("ERROR") == 1

    def test_one_that_is_closed_takes_and_counts_nothing(self, model: Model):
        model.ask([0.5])
        model.handle.close()
        model.watched.step()
        assert not model.watched.wants
        assert model.shown("outputs", "y", "value")["rows"] == 0

    def test_rounds_look_at_every_version_and_rest_as_long_as_they_must(self, model: Model):
        times = itertools.cycle([1.0, 1.5])
        rounds = Rounds(model.catalog, 10, lambda: next(times))
        assert rounds.pause == 0.1
        model.ask([0.5])
        rounds.look()
        assert model.shown("outputs", "y", "value")["rows"] == 1
        assert rounds.pause == 0.5 / SHARE


class TestReference:
    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda told: told["outputs"]["y"][0].pop("counts"), id="no counts"),
            pytest.param(lambda told: told["outputs"]["y"][0]["counts"].append(1), id="too many counts"),
            pytest.param(lambda told: told["outputs"]["y"][0].update(counts=[0] * 6), id="no rows"),
            pytest.param(lambda told: told["outputs"]["y"][0].update(counts=[-1, *[1] * 5]), id="less than none"),
            pytest.param(lambda told: told["outputs"]["y"][0].update(edges="abc"), id="edges that are none"),
            pytest.param(lambda told: told["outputs"].update(z=[]) or told["outputs"].update(y=7), id="no list"),
            pytest.param(lambda told: told["outputs"].update(z=[EDGES]), id="an output that is not there"),
            pytest.param(lambda told: told.pop("inputs"), id="no inputs"),
            pytest.param(lambda told: told.update(inputs={}, outputs={}), id="nothing"),
        ],
    )
    def test_what_makes_no_sense_is_not_watched_and_serves_all_the_same(self, spoil, tmp_path: Path):
        card = json.loads(json.dumps(CARD))
        spoil(card["distribution"])
        with pytest.raises(reference.NotWatched, match="makes no sense"):
            reference.read(card)
        handle = fakes.handle(FakeEngine(), AtOnce, card=Card(document=card))
        assert over(lambda _: handle, tmp_path)(Version("fake", 1, tmp_path)) is handle

    def test_why_nobody_looks_is_told(self):
        assert report.document({}, None)["reason"] == "it has no card"
        assert report.document(CARD, None)["reason"] == "MANIFOLD_DRIFT is 0"


class TestReport:
    stable, moved = [0.0] * 8 + [0.5] * 6 + [2.0] * 6, [3.0] * 20

    def hour(self, model: Model, rows: list[float], times: int) -> None:
        """An hour later, so often these rows."""
        model.clock.now += HOUR
        for _ in range(times):
            model.ask(*[[x] for x in rows])
            model.watched.step()

    def test_rows_like_the_trainings_are_stable(self, model: Model):
        self.hour(model, self.stable, 30)
        shown = model.shown("outputs", "y", "value")
        assert (shown["verdict"], shown["rows"], shown["moved_since"]) == ("stable", 600, None)
        assert shown["psi"] < 0.01
        assert shown["bins"] == ["below 0", "0", "0–1", "1–4", "above 4", "not a number"]
        assert shown["training"] == [0, 0.4, 0.3, 0.3, 0, 0]

    def test_few_rows_say_nothing(self, model: Model):
        self.hour(model, self.moved, 1)
        shown = model.shown("outputs", "y", "value")
        assert (shown["verdict"], shown["psi"], shown["hours"]) == ("too few rows", None, [])
        assert report.document(CARD, model.watched)["verdict"] == "too few rows"

    def test_rows_that_moved_are_told_from_when_on(self, model: Model):
        for rows in (self.stable, self.moved, self.moved):
            self.hour(model, rows, 30)
        shown = model.shown("outputs", "y", "value")
        assert (shown["verdict"], shown["rows"]) == ("shifted", 600)
        assert shown["since"] == report.time(500_003)
        assert shown["moved_since"] == report.time(500_002)
        assert [hour["from"] for hour in shown["hours"]] == [report.time(500_000 + hour) for hour in (1, 2, 3)]
        assert report.document(CARD, model.watched)["verdict"] == "shifted"

    def test_where_an_hour_has_too_few_rows_those_before_it_help(self, model: Model):
        self.hour(model, self.moved, 30)
        self.hour(model, self.moved, 1)
        shown = model.shown("outputs", "y", "value")
        assert (shown["verdict"], shown["rows"]) == ("shifted", 620)
        assert shown["since"] == shown["moved_since"] == report.time(500_001)

    def test_a_shape_that_is_new_is_told_of_the_input_only(self, model: Model):
        for _ in range(50):
            model.ask(*[[x, 0.0, 0.0] for x in self.stable])
            model.watched.step()
        assert model.shown("inputs", "x", "steps")["verdict"] == "shifted"
        assert model.shown("outputs", "y", "value")["verdict"] == "stable"


def test_the_metrics_are_those_of_the_report(model: Model):
    TestReport().hour(model, TestReport.moved, 30)
    registry = CollectorRegistry()
    registry.register(Drift(model.catalog))
    labels = {"model": "fake", "version": "1", "side": "output", "name": "y", "feature": "value"}
    shown = model.shown("outputs", "y", "value")
    assert registry.get_sample_value("manifold_drift_psi", labels) == pytest.approx(shown["psi"], abs=1e-4)
    assert registry.get_sample_value("manifold_drift_rows", labels) == 600
    model.clock.now += 2 * HOURS * HOUR
    assert registry.get_sample_value("manifold_drift_psi", labels) is None
    assert registry.get_sample_value("manifold_drift_rows", labels) == 0
    assert b"# TYPE manifold_drift_psi gauge" in generate_latest(registry)


def test_a_model_without_a_distribution_says_so(site):
    found = site.client.get("/models/toy/drift?version=2").json
    assert (found["model"], found["version"], found["verdict"]) == ("toy", 2, "not watched")
    assert found["reason"].startswith("its card has no distribution")
    assert site.client.get("/models/nobody/drift").status_code == 404


def test_the_endpoint_keeps_to_its_schema(model: Model):
    from service.app import create_app
    from service.openapi import document, models
    from service.settings import Settings
    from tests.service.described import Promises

    TestReport().hour(model, TestReport.moved, 30)
    promises = Promises(document.build(models.served(model.catalog), ["fake"], Settings()))
    response = create_app(Settings(), model.catalog, fakes.Hand().wait).test_client().get("/models/fake/drift")
    promises.hold("drift", response)
    assert response.json["verdict"] == "shifted"
