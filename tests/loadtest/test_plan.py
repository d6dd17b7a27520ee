"""What the benchmark asks, and in which order."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.bench import reference
from loadtest.bench.contenders import CONTENDERS, ROOT, RUNNERS
from loadtest.bench.forms import FORMS
from loadtest.bench.plan import BASIC, EMPTY, OURS, SCENARIOS, SUITES, Rounds, folder, seconds, servers, turns
from loadtest.bench.plot import LOOKS
from models import ZOO

MINUTES = 18
"""A whole suite beside two peers, at most."""


@given(st.integers(1, 12), st.integers(1, 5))
def test_every_server_has_one_turn_in_every_round(rounds: int, servers: int) -> None:
    names = [str(number) for number in range(servers)]
    found = Counter(turns(rounds, names))

    assert found == Counter({(number, name): 1 for number in range(rounds) for name in names})


@given(st.integers(1, 5))
def test_every_server_is_first_equally_often(servers: int) -> None:
    names = [str(number) for number in range(servers)]
    order = list(turns(servers, names))

    assert {name for _, name in order[::servers]} == set(names)


def test_the_whole_suite_beside_two_peers_takes_the_time_it_may() -> None:
    _, plan = SUITES["whole"]

    assert plan.rounds >= 5
    assert tuple(plan.connections) == (1, 8, 32, 128)
    assert seconds(plan, scenarios=5, servers=3) <= MINUTES * 60


def test_suites_name_scenarios_and_scenarios_name_models() -> None:
    for names, _ in SUITES.values():
        assert set(names) <= SCENARIOS.keys()
    for scenario in SCENARIOS.values():
        assert scenario.version in ZOO[scenario.model]


def test_scenarios_compare_with_servers_that_there_are() -> None:
    for scenario in SCENARIOS.values():
        assert scenario.targets.keys() <= {"right", "any"} | CONTENDERS.keys()


def test_the_empty_view_is_measured_where_efficiency_is_asked_and_nowhere_else() -> None:
    assert servers(BASIC, ["triton"]) == [OURS, EMPTY, "triton"]
    assert servers("mixed", ["triton"]) == [OURS, "triton"]


def test_every_server_has_a_form_and_a_look_of_its_own() -> None:
    assert LOOKS.keys() == CONTENDERS.keys()
    assert len(set(LOOKS.values())) == len(LOOKS)
    assert {contender.form for contender in CONTENDERS.values()} <= FORMS.keys() | {None}


def test_a_missing_model_is_told_with_the_command_that_trains_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="python -m training qa --version 1"):
        folder(tmp_path, SCENARIOS["qa"])


def test_a_plan_is_longer_with_more_of_anything() -> None:
    short = seconds(Rounds(rounds=3, seconds=1, connections=(1,)), 1, 1)

    assert short < seconds(Rounds(rounds=4, seconds=1, connections=(1,)), 1, 1)
    assert short < seconds(Rounds(rounds=3, seconds=2, connections=(1,)), 1, 1)
    assert short < seconds(Rounds(rounds=3, seconds=1, connections=(1, 8)), 1, 1)


@given(st.integers(0, 1000), st.integers(1, 9), st.integers(0, 9))
def test_rows_have_lengths_and_values_within_their_bounds(seed: int, least: int, more: int) -> None:
    inputs = {"ids": {"dtype": "int64", "dims": [None]}, "floats": {"dtype": "float32", "dims": [2, None]}}
    lengths = dict.fromkeys(inputs, (least, least + more))

    row = reference.draw(inputs, lengths, None, random.Random(seed))
    bounded = reference.draw(inputs, lengths, (0, 1), random.Random(seed))

    assert least <= len(row["ids"]) <= least + more
    assert all(1 <= one <= 400 for one in row["ids"])
    assert [len(inner) for inner in row["floats"]] == [len(row["floats"][0])] * 2
    assert {number for inner in bounded["floats"] for number in inner} <= {0, 1}


def test_an_unknown_size_without_a_length_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="input ids"):
        reference.draw({"ids": {"dtype": "int64", "dims": [None]}}, {}, None, random.Random(0))


def test_make_trains_what_the_scenarios_ask() -> None:
    named = re.search(r"^MEASURED := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert named is not None
    assert set(named[1].split()) == {f"{one.model}/{one.version}" for one in SCENARIOS.values()}


def test_make_can_install_every_peer() -> None:
    for contender in CONTENDERS.values():
        if contender.home:
            pinned = (RUNNERS / f"{contender.home}.txt").read_text().splitlines()
            assert {line.partition("==")[0] for line in pinned} == set(contender.packages)


def test_a_peer_is_found_by_its_name_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEERS_HOME", str(tmp_path))
    assert not CONTENDERS["mosec"].installed()

    (tmp_path / "venv_mosec" / "bin").mkdir(parents=True)
    (tmp_path / "venv_mosec" / "bin" / "python").touch()

    assert CONTENDERS["mosec"].installed()
    assert not CONTENDERS["triton"].installed()
    assert CONTENDERS["manifold"].installed()
