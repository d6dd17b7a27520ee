"""Metrics, alerts, dashboard and document name the same things."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

import service.metrics.families

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/metrics.md").read_text()
PROMETHEUS = ROOT / "deploy/prometheus"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/manifold.json").read_text())
SOURCE = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "service").rglob("*.py"))
ELSEWHERE = {"manifold_queue_seconds_p95"}
"""What deploy/kubernetes/adapter.yaml makes of the queue's seconds."""

NAME = re.compile(r"(?<!urn:)\bmanifold(?:_[a-z][a-z0-9_]+|:[a-z_]+:[a-z0-9_]+)")
SERIES = re.compile(r"_(bucket|count|sum)$")
METRICS = {SERIES.sub("", name) for name in re.findall(r'"(manifold_[a-z0-9_]+)"', SOURCE)}


def rules(file: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((PROMETHEUS / file).read_text())["groups"] for rule in group["rules"]]


RECORDED = {rule["record"] for rule in rules("rules.yml")}
ALERTS = {rule["alert"]: rule for rule in rules("alerts.yml")}
TESTS = [
    one
    for test in yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    for one in test["alert_rule_test"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def unknown(text: str) -> set[str]:
    """Names in expressions of what is neither a metric nor recorded."""
    names = {name if name in METRICS else SERIES.sub("", name) for name in NAME.findall(text)}
    return names - METRICS - RECORDED - ELSEWHERE


@pytest.mark.parametrize("file", ["rules.yml", "alerts.yml", "alerts_test.yml"])
def test_the_rules_ask_for_metrics_that_there_are(file: str) -> None:
    text = (PROMETHEUS / file).read_text()
    assert NAME.search(text)
    assert unknown(re.sub(r"^ *- name: .*$", "", text, flags=re.MULTILINE)) == set()


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    expressions = [target["expr"] for panel in PANELS for target in panel["targets"]]
    asked = expressions + [one.get("query", "") for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    assert unknown(json.dumps(asked)) == set()


@pytest.mark.parametrize("document", sorted((ROOT / "docs").glob("*.md")), ids=lambda file: file.name)
def test_documents_name_metrics_that_there_are(document: Path) -> None:
    assert unknown(document.read_text()) == set()


def test_every_metric_stands_in_a_table() -> None:
    """Those of drift and of a store in their own documents."""
    cells = [line.split("|")[1] for file in (ROOT / "docs").glob("*.md") for line in rows_of(file.read_text())]
    assert METRICS - set(NAME.findall("\n".join(cells))) == set()


def rows_of(text: str) -> list[str]:
    return re.findall(r"^\|.*$", text, re.MULTILINE)


def test_the_document_has_the_labels_of_every_metric() -> None:
    rows = re.findall(r"^\| `(manifold_\w+)(?:\{([\w,]+)\})?` \|", DOCUMENT, re.MULTILINE)
    documented = {name: labels.split(",") if labels else [] for name, labels in rows}
    assert "manifold_requests_total" in documented
    assert set(documented) <= METRICS
    for family in vars(service.metrics.families).values():
        if isinstance(family, Counter | Gauge | Histogram):
            name = f"{family._name}_total" if isinstance(family, Counter) else family._name
            labels = list(family._labelnames) + PID.get(name, [])
            assert documented.get(name, labels) == labels


PID = {f"manifold_worker_{what}": ["pid"] for what in ("resident_bytes", "open_files")}
"""What several processes make of a gauge of each."""


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_to_do(alert: str) -> None:
    notes = ALERTS[alert]["annotations"]
    assert notes["runbook_url"] == f"docs/metrics.md#{alert.lower()}"
    assert re.search(rf"^### {alert}\n\n\w", DOCUMENT, re.MULTILINE)
    assert notes["summary"]
    assert notes["description"]
    assert ALERTS[alert]["labels"]["severity"] in {"page", "ticket"}


def test_every_alert_is_shown_to_fire_and_to_stay_silent() -> None:
    assert {one["alertname"] for one in TESTS if one.get("exp_alerts")} == set(ALERTS)
    assert {one["alertname"] for one in TESTS if not one.get("exp_alerts")} == set(ALERTS)


def test_the_objectives_are_buckets() -> None:
    bounds = {f"{bound:g}" for bound in service.metrics.families.SECONDS}
    rules_ = (PROMETHEUS / "rules.yml").read_text()
    assert set(re.findall(r'request_seconds_bucket\{[^}]*le="([\d.]+)"', rules_)) <= bounds


def test_no_panel_covers_another_and_each_has_a_unit_or_is_a_table() -> None:
    covered: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & covered, panel["title"]
        covered |= cells
        assert max(x for x, _ in cells) < 24
    assert all(panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_every_panel_heeds_the_variables() -> None:
    chosen = {f"${{{one['name']}}}" if one["type"] == "datasource" else f"${one['name']}" for one in VARIABLES}
    assert chosen == {"${datasource}", "$job", "$model", "$version", "$dialect"}
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all("$job" in target["expr"] or "ALERTS" in target["expr"] for target in panel["targets"]), panel[
            "title"
        ]


VARIABLES = DASHBOARD["templating"]["list"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", "rules.yml", "alerts.yml"],
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "alerts_test.yml"],
    ],
    ids=" ".join,
)
def test_promtool_agrees(arguments: list[str]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
