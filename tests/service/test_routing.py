"""Who answers a request that names no version."""

from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ModelNotFound, VersionNotFound
from service.versions.catalog import Catalog
from service.versions.policy import Canary, Policy
from service.versions.routing import route
from service.versions.store import Version
from service.wording import MOST_ECHOED
from tests.service.fakes import FakeEngine, Hand, handle
from tests.service.test_policy import NUMBERS, POLICIES

HANDLES = {number: handle(FakeEngine(), Hand(), version=number) for number in range(1, 7)}


def catalog(policy: Policy, *numbers: int, draw: float = 0.0) -> Catalog:
    made = Catalog([], lambda version: HANDLES[version.number], grace=0, draw=lambda: draw)
    made.swap("m", [Version("m", number, Path()) for number in numbers], policy)
    return made


@given(st.sets(NUMBERS), POLICIES)
def test_the_default_is_the_newest_that_is_neither_canary_nor_shadow(numbers, policy):
    found = route({number: HANDLES[number] for number in numbers}, policy)
    plain = numbers - policy.aside
    if found is None:
        assert not numbers
    else:
        assert found.default.version == max(plain or numbers)
        assert found.canary is None or (policy.canary is not None and found.canary.version == policy.canary.version)
        assert found.canary is not found.default
        assert found.shadow is None or found.shadow.version == policy.shadow


@pytest.mark.parametrize(("draw", "version"), [(0.0, 5), (0.0999, 5), (0.1, 4), (0.99, 4)])
def test_the_canary_gets_its_percent(draw, version):
    assert catalog(Policy(canary=Canary(5, 10)), 5, 4, draw=draw).get("m").version == version


def test_a_draw_of_many_gives_the_canary_its_share():
    draws = cycle(number / 1000 for number in range(1000))
    made = Catalog([], lambda version: HANDLES[version.number], grace=0, draw=lambda: next(draws))
    made.swap("m", [Version("m", number, Path()) for number in (5, 4)], Policy(canary=Canary(5, 12.5)))
    assert Counter(made.get("m").version for _ in range(1000)) == {5: 125, 4: 875}


def test_who_names_a_version_gets_it_whatever_the_canary():
    assert catalog(Policy(canary=Canary(5, 100)), 5, 4).get("m", 4).version == 4


@pytest.mark.parametrize("percent", [0, 100])
def test_without_the_canary_all_goes_to_the_default(percent):
    assert catalog(Policy(canary=Canary(6, percent)), 5, 4).get("m").version == 5


def test_a_canary_that_is_alone_is_the_default():
    assert catalog(Policy(canary=Canary(5, 1)), 5, draw=0.9).get("m").version == 5


def test_the_shadow_stands_beside_the_default_alone():
    made = catalog(Policy(shadow=5, canary=Canary(4, 10)), 5, 4, 3)
    assert made.get("m", 3).shadow.target is HANDLES[5]
    assert made.get("m", 4).shadow.target is made.get("m", 5).shadow.target is None
    made.swap("m", [Version("m", number, Path()) for number in (5, 4, 3)], Policy())
    assert HANDLES[3].shadow.target is None
    assert made.get("m").version == 5


def test_a_label_names_a_version_served_or_not():
    made = catalog(Policy(labels={"stable": 3, "new": 9}), 5, 3)
    assert made.labelled("m", "stable") == 3
    assert made.labelled("m", "new") == 9
    with pytest.raises(VersionNotFound, match="m has no label 'stabel', did you mean 'stable'"):
        made.labelled("m", "stabel")
    with pytest.raises(VersionNotFound, match="m has no label 'x'; the labels are stable, new"):
        made.labelled("m", "x")
    with pytest.raises(VersionNotFound, match=f"m has no label '{'x' * MOST_ECHOED}';"):
        made.labelled("m", "x" * 1000)
    with pytest.raises(VersionNotFound, match="m has no label 'x'; it has none"):
        catalog(Policy(), 5).labelled("m", "x")
    with pytest.raises(ModelNotFound):
        made.labelled("nobody", "stable")
