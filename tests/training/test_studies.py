"""Findings: told, drawn, and put on the card."""

import json

import pytest

from tests.training import toys
from training.data import TASKS
from training.export import Held, export
from training.reports import terminal
from training.studies import STUDIES
from training.studies.finding import Finding
from training.versions import Version

FINDINGS = [Finding("Share", {"first": 0.25, "second": 1.0}), Finding("Error", {"alone": 12.5}, "EUR")]


def test_every_study_is_of_a_model():
    assert set(STUDIES) <= set(TASKS)


def test_findings_are_told_in_a_line_each():
    assert [str(finding) for finding in FINDINGS] == ["Share: first 0.25, second 1", "Error (EUR): alone 12.5"]


@pytest.mark.parametrize(
    ("figures", "warned"),
    [
        ({"accuracy": 0.9, "baseline": {"name": "majority", "accuracy": 0.5}}, False),
        ({"accuracy": 0.5, "baseline": {"name": "majority", "accuracy": 0.5}}, True),
        ({"mae": 1.0, "r2": 0.5, "baseline": {"name": "median", "mae": 2.0, "r2": 0.0}}, False),
        ({"mae": 2.5, "r2": 0.5, "baseline": {"name": "median", "mae": 2.0, "r2": 0.0}}, True),
    ],
)
def test_an_output_that_a_trivial_rule_tells_as_well_is_warned_of(figures, warned):
    lines = terminal.no_better({"mood": figures})
    rule = figures["baseline"]["name"]
    assert lines == ([f"warning: mood is told no better than by the {rule} rule"] if warned else [])


@pytest.fixture(scope="module")
def studied(tmp_path_factory, trained, splits):
    held = toys.held(trained, splits)
    found = Held(held.table, held.rows, held.judged, FINDINGS)
    return export(trained, found, toys.PROVENANCE, Version(tmp_path_factory.mktemp("store"), "toy", 1))


def test_findings_stand_on_the_card_and_in_the_report_and_are_drawn(studied):
    extra = studied / "assets.extra"
    expected = [
        {"title": "Share", "figures": {"first": 0.25, "second": 1.0}, "unit": None},
        {"title": "Error", "figures": {"alone": 12.5}, "unit": "EUR"},
    ]

    assert json.loads((extra / "card.json").read_text())["findings"] == expected
    assert json.loads((extra / "report/report.json").read_text())["findings"] == expected
    assert (extra / "report/findings.png").stat().st_size > 1_000
