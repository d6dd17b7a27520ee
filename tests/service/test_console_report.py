"""The report of a version: what its card and folder say, in words; and nothing of other folders."""

import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service import card as cards
from service import files, loading
from service.app import create_app
from service.console.report import bars, checks, gallery, metrics, pictures, spread, stories
from service.console.report.page import part
from service.settings import Settings
from service.versions.catalog import Catalog
from service.versions.store import Version
from tests.service import artifacts, fakes, reports

PAGE = "/console/models/toy/report"


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The folder of a toy that has a report."""
    folder = artifacts.toy(tmp_path)
    reports.write(folder)
    return folder


@pytest.fixture
def report(version: Path) -> Path:
    return version / pictures.FOLDER


def client(*versions: Version) -> FlaskClient:
    settings, hand = Settings(engine="onnx"), fakes.Hand()
    catalog = Catalog(versions, lambda one: loading.load(one, settings, lambda _: hand), grace=0)
    catalog.load_all()
    return create_app(settings, catalog, hand.wait).test_client()


@pytest.fixture
def browser(version: Path) -> FlaskClient:
    """What asks a service of that version."""
    return client(Version("toy", 1, version))


def text(page: str) -> str:
    """A page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class TestMetrics:
    def test_each_figure_stands_beside_the_rules_with_its_unit_and_a_verdict(self):
        found = {"mae": 2.0, "r2": None, "baseline": {"name": "median", "mae": 7.02, "r2": 0.1}}

        (output,) = metrics.outputs({"outputs": {"age": {"title": "Age", "unit": "years"}}, "metrics": {"age": found}})

        error, explained = output["figures"]
        assert (output["title"], output["rule"]) == ("Age", "always the median")
        assert (error["model"], error["rule"], error["verdict"]) == ("2 years", "7.02 years", "better")
        assert (explained["model"], explained["verdict"]) == ("not defined", "cannot be compared")

    @pytest.mark.parametrize(("key", "verdict"), [("accuracy", "better"), ("calibration_error", "worse")])
    def test_more_is_better_or_worse(self, key, verdict):
        assert metrics.row(key, 0.9, 0.2, "")["verdict"] == verdict
        assert metrics.row(key, 0.2, 0.2, "")["verdict"] == "the same"

    def test_every_figure_of_the_schema_has_words(self):
        schema = (Path(cards.__file__).parent / "card.schema.json").read_text()
        told = set(re.findall(r'"(\w+)": \{"\$ref": "#/\$defs/figure"\}', schema))
        assert told == set(metrics.FIGURES)


class TestBars:
    def test_a_negative_figure_goes_to_the_left_of_zero(self):
        rows = bars.finding({"title": "Weights", "unit": None, "figures": {"vote": 3.0, "bias": -1.0}})["rows"]
        assert [(row["start"], row["length"]) for row in rows] == [(25.0, 75.0), (0.0, 25.0)]

    def test_a_suggested_weight_is_told(self):
        head = {"weight": 1.0, "share": 0.02, "suggested_weight": 25.0}
        (shown,) = bars.losses({"outputs": {}, "losses": {"rare": head}})
        assert (shown["share"], shown["bar"], shown["advice"]) == ("2 %", 2.0, "try 25")


class TestSpread:
    def test_a_bin_is_as_high_as_it_is_dense(self):
        drawn = spread.edges([0, 1, 4], [0, 10, 10, 0, 0], whole=False)["bars"]
        assert [bar["height"] for bar in drawn] == [40, pytest.approx(40 / 3, abs=0.01)]
        assert [(bar["x"], bar["width"]) for bar in drawn] == [(0, 25), (25, 75)]

    def test_the_sentence_has_the_middle_half(self):
        assert spread.edges([0, 10, 20], [0, 8, 8, 0, 0], whole=True)["text"] == (
            "Half of all lie between 5 and 15; the middle is 10."
        )

    def test_a_share_reads_as_everywhere(self):
        told = {"feature": "probability", "edges": [0.1, 0.5, 0.9], "counts": [0, 8, 8, 0, 0]}
        shown = spread.feature(told, {"labels": ["no", "yes"]})
        assert shown["title"] == "Probability of yes"
        assert (shown["low"], shown["high"]) == ("10 %", "90 %")
        assert shown["text"] == "Half of all lie between 30 % and 70 %; the middle is 50 %."

    @pytest.mark.parametrize("edges", [[3, 3], [3, 3, 5]])
    def test_a_bin_of_one_value_is_seen(self, edges):
        (first, *_) = spread.edges(edges, [0, 4, *[1] * (len(edges) - 2), 0, 0], whole=True)["bars"]
        assert first["width"] > 0
        assert first["height"] == 40

    def test_labels_say_the_most_frequent(self):
        assert spread.labels(["a", "b"], [1, 3, 0])["text"] == "Most frequent: b 75 %, a 25 %."


class TestGallery:
    @pytest.mark.parametrize(
        ("outputs", "heading"),
        [({"sure": {"title": "Sure?"}}, "ROC curve"), ({"sure": {}, "b": {}}, "ROC curve: sure")],
    )
    def test_a_picture_names_its_output_where_there_are_several(self, outputs, heading):
        shown = gallery.described(pictures.Picture("sure.roc.png", 1, 1), {}, {"outputs": outputs})
        assert shown["heading"] == heading


class TestStories:
    def test_curves_say_how_far_the_figures_went_until_the_best_epoch(self):
        told, (heads, rows) = stories.curves(reports.figures())
        assert told == (
            "On the validation rows, over 3 epochs: mood accuracy rises from 52 % to 98 %. Epoch 2 was the best."
        )
        assert heads[1] == "loss, training"
        assert [row[0] for row in rows] == ["1", "2", "3"]

    def test_confusion_says_what_is_taken_for_what(self):
        told, (_, rows) = stories.confusion(reports.figures()["outputs"]["mood"])
        assert told.startswith("9 of 13 rows are right. The most frequent mistakes: happy taken for sad (3 rows); calm")
        assert rows == [
            ["calm", "6", "83.3 %", "happy (1)"],
            ["happy", "7", "57.1 %", "sad (3)"],
            ["sad", "0", "–", "–"],
        ]

    def test_calibration_says_where_it_is_off(self):
        told, _ = stories.calibration(reports.figures()["outputs"]["sure"])
        assert "of 20 rows for which it says 90 %, 70 % come true" in told

    def test_a_figure_that_is_not_defined_is_left_out(self):
        assert stories.scatter(reports.figures()["outputs"]["score"], "points")[0] == (
            "Answers are 2.001 points from the truth, on average."
        )

    @pytest.mark.parametrize("name", reports.PICTURES)
    def test_without_figures_there_is_no_story(self, name):
        shown = gallery.described(pictures.Picture(name, 1, 1), {"outputs": []}, {})
        assert shown["text"] == "Its figures are not known."


class TestChecks:
    def test_a_copy_that_was_not_kept_says_why(self):
        reduced = {"kept": False, "reason": "depth: mae is worse"}
        told = {"rows": 5, "twin": {"kept": False, "reason": "no such operation"}, "reduced": reduced}
        invariance = {"batch_invariance": {"largest_difference": 0.0}}
        alone, twin, quick = checks.verified({"outputs": {}, "verified": told | invariance})
        assert alone["text"].endswith("no difference at all, over 5 rows.")
        assert (twin["kept"], twin["text"]) == (False, "There is none: no such operation.")
        assert "depth: mae is worse" in quick["text"]

    def test_a_quicker_copy_says_what_it_costs(self):
        cost = {"metrics": {"age": {"figure": "mae", "before": 2.0, "after": 2.1}}}
        told = checks.quicker({"speedup": 1.59, "largest_difference": 0.058, **cost}, {"age": {"title": "Age"}})
        assert told.endswith("Age: mean error 2.1 instead of 2.")


class TestPage:
    def test_it_says_all_that_is_known(self, browser):
        page = browser.get(PAGE).text
        words = text(page)
        for title in ("How good it is", "Where it comes from", "What was checked", "Shares of the loss", "Layer graph"):
            assert title in words
        assert "1 epoch, 0.5 s in all; preset quick, seed 7" in words
        assert 'alt="On the validation rows, over 3 epochs: mood accuracy rises from 52 % to 98 %.' in page
        assert page.count('loading="lazy"') == len(reports.PICTURES)
        assert 'width="60" height="40"' in page
        assert " style=" not in page

    def test_a_model_without_a_card_has_its_signature(self, tmp_path):
        words = text(client(Version("simple", 1, artifacts.simple(tmp_path))).get("/console/models/simple/report").text)
        assert "This model has no report: it was not trained here" in words
        assert "INPUT0 input tensor int32 16" in words

    def test_what_a_card_does_not_say_is_said_to_be_missing(self, tmp_path):
        folder = artifacts.simple(tmp_path)
        card = '{"format": 1, "title": "Sums", "inputs": {}, "outputs": {}}'
        (folder / "assets.extra" / "card.json").write_text(card)
        words = text(client(Version("simple", 1, folder)).get("/console/models/simple/report").text)
        assert words.count("card says nothing of this") == 3

    def test_a_model_from_outside_says_its_file_and_what_it_was_tried_on(self, tmp_path):
        folder = artifacts.toy(tmp_path)
        document = json.loads((folder / cards.CARD).read_text())
        made = {key: document["provenance"][key] for key in ("created", "seconds", "versions")}
        spread = {"numbers": [{"feature": "0", "edges": [0, 1], "counts": [0, 7, 0, 0]}]}
        document |= {"metrics": {}, "losses": {}, "findings": [], "distribution": {"inputs": spread, "outputs": {}}}
        document["provenance"] = {"file": "toy.keras (SHA-256 12)", "data": "7 rows of rows.csv", **made}
        (folder / cards.CARD).write_text(json.dumps(document))
        words = text(client(Version("toy", 1, folder)).get(PAGE).text)
        assert "File toy.keras (SHA-256 12) Tried on 7 rows of rows.csv Published in 0.5 s" in words
        assert "What it was tried on, and what it answers" in words
        assert "never saw in training" not in words

    def test_a_version_without_a_folder_says_so(self, tmp_path):
        browser = client(Version("toy", 1, artifacts.toy(tmp_path)))
        assert "this version came without a report" in text(browser.get(PAGE).text)

    @pytest.mark.parametrize("broken", [b"{", b"[]", b'{"history": 3, "best_epoch": "x", "outputs": {"mood": 1}}'])
    def test_a_broken_record_leaves_the_pictures(self, browser, report, broken):
        (report / "report.json").write_bytes(broken)
        answer = browser.get(PAGE)
        assert answer.status_code == 200
        assert ("cannot be read" in answer.text) is not broken.endswith(b"}}")
        assert 'alt="Its figures are not known."' in answer.text

    def test_a_part_of_the_card_that_makes_no_sense_is_none(self):
        for tell in (metrics.outputs, checks.provenance, checks.verified, bars.losses, bars.findings, spread.sides):
            key = {"outputs": "metrics", "sides": "distribution"}.get(tell.__name__, tell.__name__)
            assert part(tell, {"outputs": {}, key: [3]}) is None


class TestPictures:
    def test_one_is_sent_once(self, browser):
        first = browser.get(f"{PAGE}/learning_curves.png")
        assert (first.mimetype, first.data) == ("image/png", reports.png())
        again = browser.get(f"{PAGE}/learning_curves.png", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")

    def test_one_may_run_nothing(self, browser):
        policy = browser.get(f"{PAGE}/layers.png").headers["Content-Security-Policy"]
        assert policy.endswith("sandbox")
        assert "script-src" not in policy

    @pytest.mark.parametrize(
        "name", ["report.json", "none.png", "..%2Fcard.json", "..%2F..%2Fsaved_model.pb", "%2Fetc%2Fhosts", "."]
    )
    def test_nothing_else_is_sent(self, browser, name):
        assert browser.get(f"{PAGE}/{name}").status_code == 404

    def test_a_link_out_of_the_version_is_none(self, browser, report, tmp_path):
        (tmp_path / "secret.png").write_bytes(reports.png())
        (report / "secret.png").symlink_to(tmp_path / "secret.png")
        assert browser.get(f"{PAGE}/secret.png").status_code == 404
        assert "secret" not in browser.get(PAGE).text

    def test_a_folder_that_is_a_link_out_of_the_version_has_none(self, tmp_path):
        other = reports.write(tmp_path / "other")
        version = artifacts.toy(tmp_path)
        (version / pictures.FOLDER).symlink_to(other)
        assert pictures.found(version) == []
        assert pictures.record(version) == {}

    def test_one_that_is_too_large_to_be_sent_is_none(self, version, report):
        with (report / "large.png").open("wb") as file:
            file.write(reports.png())
            file.truncate(files.MOST_BYTES + 1)
        assert "large.png" not in [picture.name for picture in pictures.found(version)]

    @pytest.mark.parametrize("body", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
    def test_what_is_no_picture_is_not_shown(self, version, report, body):
        (report / "mood.confusion.png").write_bytes(body)
        assert "mood.confusion.png" not in [picture.name for picture in pictures.found(version)]
