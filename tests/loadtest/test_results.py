"""What follows from raw figures: medians, ratios, targets, tables and pictures."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench import big, neighbour, open_loop, plot, report
from loadtest.bench.contenders import CONTENDERS
from loadtest.bench.plan import SCENARIOS
from loadtest.bench.results import Ratio, held_to, ratios, rows, wrong

RATES = {"manifold": 3000.0, "empty": 6000.0, "triton": 1000.0, "mosec": 1500.0}


def cell(server: str, connections: int, **more: Any) -> dict[str, Any]:
    """A run's raw figures."""
    figures = {"rate": RATES.get(server, 0.0), "median": 1.0, "p99": 2.0, "cpu_us": 300.0, "answers": 100, "wrong": 0}
    return {"server": server, "connections": connections, "worst": 1e-7, "broken": 0, **figures, **more}


def document(*cells: dict[str, Any], name: str = "qa", **targets: float) -> dict[str, Any]:
    """A measured scenario."""
    servers = {one["server"]: {"versions": {}, "start_seconds": 1.0, "resident_mb": 100} for one in cells}
    machine = {"cores": 2, "processor": "a processor", "date": "today", "commit": "abc"}
    scenario = {"name": name, "title": "a title", "targets": targets}
    return {"scenario": scenario, "plan": {"rounds": 1, "seconds": 2}, "machine": machine, "servers": servers} | {
        "cells": list(cells),
        "warm": [],
    }


@given(st.lists(st.floats(1, 1e5), min_size=1, max_size=9))
def test_a_row_stands_between_its_rounds(rates: list[float]) -> None:
    (row,) = rows(document(*(cell("manifold", 32, rate=rate) for rate in rates)))

    assert row.slowest <= row.rate <= row.fastest
    assert sum(rate < row.rate for rate in rates) <= len(rates) / 2
    assert row.answers == 100 * len(rates)


def test_throughput_is_held_against_the_fastest_peer_and_never_the_empty_view() -> None:
    measured = document(*(cell(server, 32) for server in RATES), name="similarity", right=3)

    assert ratios(measured) == [Ratio("throughput", "mosec", 2.0, 3)]


def test_a_peer_that_was_wrong_once_is_no_measure_of_the_right() -> None:
    cells = [cell(server, 32) for server in RATES]
    measured = document(*cells, cell("mosec", 1, wrong=1, worst=0.035), name="mixed", right=15, any=5)

    assert wrong(measured) == {"mosec"}
    assert [(ratio.against, ratio.ratio, ratio.met) for ratio in ratios(measured)] == [
        ("triton", 3.0, False),
        ("mosec", 2.0, False),
    ]


def test_a_broken_connection_is_a_wrong_answer() -> None:
    assert wrong(document(cell("triton", 32, broken=1))) == {"triton"}


def test_a_wrong_answer_while_warming_up_counts() -> None:
    assert wrong(document(cell("mosec", 32)) | {"warm": [cell("triton", 32, wrong=1)]}) == {"triton"}


def test_a_target_may_name_its_peer() -> None:
    measured = document(*(cell(server, 32) for server in RATES), name="majority", triton=1)

    assert ratios(measured) == [Ratio("throughput", "triton", 3.0, 1)]


def test_idle_latency_and_efficiency_are_of_qa() -> None:
    idle = [cell("manifold", 1, median=0.5, p99=1.0), cell("triton", 1, median=5.0, p99=6.0)]
    measured = document(*idle, cell("mosec", 1, median=4.0, p99=9.0), cell("manifold", 32), cell("empty", 32))

    assert ratios(measured) == [
        Ratio("idle median", "mosec", 8.0, 8.0),
        Ratio("idle p99", "triton", 6.0, 4.0),
        Ratio("efficiency", "empty", 0.5, 0.6),
    ]


def test_without_peers_there_is_nothing_to_be_held_to() -> None:
    assert ratios(document(cell("manifold", 32), name="mixed", right=15)) == []
    assert held_to(document(cell("manifold", 32), cell("empty", 32)), "any", 32) == []


def test_a_table_tells_every_server_what_was_wrong_and_what_was_missed() -> None:
    cells = [cell(server, 32) for server in RATES]
    text = report.tables([document(*cells, cell("mosec", 1, wrong=7, broken=2, worst=None), name="mixed", right=15)])

    assert "| a title | throughput | triton | 3 | 15 | **missed** |" in text
    assert "| 7 and 2 broken off | none |" in text
    assert "| 32 | **manifold** | 3,000 (3,000–3,000) | 3 | 1 | 2 | 300 |" in text
    assert "| 32 | empty | 6,000 (6,000–6,000) |  | 1 |" in text
    assert all(f" {server} |" in text for server in ("triton", "mosec", "empty", "**manifold**"))
    assert "2 cores of a processor; today; commit abc" in text


def test_what_was_measured_is_read_in_the_order_of_the_scenarios(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no measured scenario"):
        report.read(tmp_path)
    for name in ("mixed", "qa"):
        (tmp_path / f"{name}.json").write_text(f'{{"scenario": {{"name": "{name}"}}}}')

    assert [one["scenario"]["name"] for one in report.read(tmp_path)] == ["qa", "mixed"]


def test_pictures_are_small(tmp_path: Path) -> None:
    counts = (1, 8, 32, 128)
    cells = [cell(name, count, rate=1e2 * count + len(name), wrong=1) for name in CONTENDERS for count in counts]
    documents = [document(*cells, name=name, any=2) for name in SCENARIOS]

    paths = plot.draw(documents, tmp_path, "peers")

    assert [path.name for path in paths] == ["peers-throughput.png", "peers-latency.png", "peers-targets.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size < 150_000 for path in paths)


def test_the_tail_is_told_beside_its_target() -> None:
    rounds = [
        {"saturation": 2000.0, "rate": 1400.0, "median": 1.0, "p99": p99, "p999": 20.0} for p99 in (4.0, 9.0, 5.0)
    ]

    assert "| qa | 2,000 | 1,400 | 1 | 5 | 20 | 5 | ≤ 10 |" in open_loop.table({"qa": rounds})


def test_the_neighbours_table_has_medians_of_both_and_of_the_slow_call() -> None:
    quick = {"median": 1.0, "p99": 2.0, "p999": 3.0, "most": 4.0}
    rounds = [
        {"alone": quick, "beside": quick | {"median": beside}, "slow": {"call": call}}
        for beside, call in ((7.0, 30.0), (5.0, 50.0), (6.0, 40.0))
    ]
    text = neighbour.table(rounds)

    assert "| alone | 1 | 2 | 3 | 4 |" in text
    assert "| beside | 6 | 2 | 3 | 4 |" in text
    assert "The longest call of the slow engine: 40 ms." in text


def test_large_bodies_are_told_as_a_share_of_the_bare_parse() -> None:
    cells = [
        {"case": "2 MB", "server": "manifold", "rate": 150.0, "cpu_us": 4000.0},
        {"case": "2 MB", "server": "bare", "rate": 200.0, "cpu_us": 3000.0},
    ]

    assert "| 2 MB | 150 | 200 | 0.75 | ≥ 0.5 | 4,000 | 3,000 |" in big.table(cells)
