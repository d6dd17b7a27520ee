"""A store at a URL, mirrored: at any time the cache holds only whole, right versions, whatever happens to the store."""

import contextlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from service.storage.arrivals import AGAIN
from service.storage.cache import Cache
from service.storage.mirror import KEEP, Mirror
from service.storage.names import Unfit
from service.storage.remote import Away, connect
from service.storage.whole import Part
from service.versions import policies, refusal, store
from service.versions.manifest import NAME, SIGNATURE
from service.versions.policies import FILE
from service.versions.policy import Policy
from service.versions.told import Told
from service.versions.verdict import AWAY, Verdict
from service.versions.wishes import Wishes
from tests.service.remotes import Bucket, content, manifest


class Site:
    """A bucket, a cache of it, and workers who serve what a test says."""

    def __init__(self, root: Path, **wishes) -> None:
        self.root = root
        self.bucket = Bucket()
        self.cache = Cache(root)
        self.now = 0.0
        self.told: dict[str, Told] = {}
        self.wishes = Wishes(root, file=root / FILE, source="memory://bucket/models", **wishes)
        self.begin()

    def begin(self, **options) -> None:
        """As a new process."""
        self.mirror = Mirror(
            self.bucket.remote,
            self.cache,
            self.wishes,
            lambda model: self.told.get(model, Told()),
            lambda: self.now,
            **options,
        )

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.mirror.look()

    def whole(self, model: str = "qa") -> set[int]:
        return self.cache.whole(model)

    def why(self, number: int, model: str = "qa") -> str:
        """Why a version was refused."""
        with pytest.raises(refusal.NotPulled) as caught:
            refusal.check(self.cache.folder(model, number))
        return str(caught.value)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "cache")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_newest_version_is_pulled_as_it_is(site: Site):
    for number in (1, 2, 10):
        site.bucket.publish("qa", number)
    site.look()

    assert site.whole() == {10}
    expected = content("qa", 10)
    assert files(site.root / "qa" / "10") == expected | {NAME: manifest("qa", 10, expected)}


def test_as_many_as_wished_and_only_the_models_named_are_pulled(tmp_path: Path):
    site = Site(tmp_path, named=("qa",), default=2)
    for model, number in (("qa", 1), ("qa", 2), ("qa", 3), ("other", 1)):
        site.bucket.publish(model, number)
    site.look()
    assert (site.whole("qa"), site.whole("other")) == ({2, 3}, set())


def test_what_the_policy_names_is_pulled_and_the_policy_with_it(site: Site):
    for number in (1, 2, 3, 4):
        site.bucket.publish("qa", number)
    text = b'{"qa": {"labels": {"stable": 2}, "canary": {"version": 4, "percent": 10}}}'
    site.bucket.write({FILE: text})
    site.look()
    assert site.whole() == {2, 3, 4}
    assert (site.root / FILE).read_bytes() == text

    site.bucket.remove(FILE)
    site.look()
    assert not (site.root / FILE).exists()


def test_a_policy_with_a_mistake_takes_no_other_s_place(site: Site, caplog: pytest.LogCaptureFixture):
    for number in (1, 2):
        site.bucket.publish("qa", number)
    site.bucket.write({FILE: b'{"qa": {"versions": [1]}}'})
    site.look()
    site.bucket.write({FILE: b'{"qa": {"versions": "some"}}'})
    site.look(2)
    assert site.whole() == {1}
    assert policies.read(site.root / FILE) == {"qa": Policy(versions=(1,))}
    assert caplog.text.count("the policies stay as they were") == 1


def test_the_first_policy_is_taken_as_it_is_for_the_start_to_refuse(site: Site):
    site.bucket.publish("qa", 1)
    site.bucket.write({FILE: b"{"})
    site.look()
    with pytest.raises(policies.BadPolicy):
        site.wishes.begin()


BROKEN = {
    "short": ({"saved_model.pb": b"a"}, "it is not as manifest.json says: saved_model.pb has 1 bytes"),
    "other": ({"saved_model.pb": b"A" * len(content("qa", 2)["saved_model.pb"])}, "saved_model.pb has another SHA-256"),
    "no manifest": ({NAME: b"{"}, "manifest.json is none"),
    "path": ({NAME: manifest("qa", 2, content("qa", 2) | {"../../1/saved_model.pb": b""})}, "manifest.json names '../"),
    "absolute": (
        {NAME: manifest("qa", 2, content("qa", 2) | {"/etc/passwd": b""})},
        "manifest.json names '/etc/passwd'",
    ),
    "no size": ({NAME: b'{"files": {"saved_model.pb": 1}}'}, "says of it what cannot be"),
    "no model": ({NAME: manifest("qa", 2, {})}, "saved_model.pb is missing"),
    "control": ({"a\nb": b""}, "is no name of a file"),
    "half a character": ({NAME: manifest("qa", 2, content("qa", 2) | {"\ud800": b""})}, "names '\\ud800'"),
    "of a cache": (
        {refusal.FILE: b"why", NAME: manifest("qa", 2, content("qa", 2) | {refusal.FILE: b"why"})},
        "it has a not-pulled.txt",
    ),
}


@pytest.mark.parametrize(("change", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_version_that_is_not_right_is_refused_in_its_place_and_the_one_before_pulled(site: Site, change, reason):
    site.bucket.publish("qa", 1)
    site.bucket.publish("qa", 2)
    site.bucket.write(change, "qa/2")
    site.look(2)
    assert reason in site.why(2)
    assert site.whole() == {1}
    assert {version.number for version in store.versions(site.root / "qa")} == {1, 2}

    site.bucket.remove("qa/2")
    site.bucket.publish("qa", 2)
    site.look()
    assert site.whole() >= {2}
    refusal.check(site.cache.folder("qa", 2))


def test_half_an_upload_is_not_refused_before_it_rests(site: Site):
    site.bucket.publish("qa", 1)
    half = dict(list(content("qa", 2).items())[:2])
    site.bucket.write(half | {NAME: manifest("qa", 2, content("qa", 2))}, "qa/2")
    site.look()
    assert site.mirror.waits
    assert site.cache.numbers("qa") == {1}

    site.look()
    assert site.why(2) == "it is not as manifest.json says: assets.extra/card.json is missing"


def test_without_a_manifest_a_version_must_rest(site: Site):
    site.bucket.publish("qa", 1, described=False)
    site.look()
    assert (site.whole(), site.mirror.waits) == (set(), True)
    site.look()
    assert (site.whole(), site.mirror.waits) == ({1}, False)


def test_without_a_manifest_sizes_must_be_right_and_nothing_may_change_meanwhile(site: Site):
    site.bucket.publish("qa", 1, described=False)
    site.bucket.system.fails["saved_model.pb"] = "is short"
    site.look(3)
    assert site.why(1) == "saved_model.pb has 14 bytes, not 15"

    site.bucket.system.fails["saved_model.pb"] = "grows"
    site.now += AGAIN
    site.look()
    assert site.whole() == set()


def test_where_versions_must_be_signed_one_waits_for_its_signature(site: Site):
    site.begin(signed=True)
    site.bucket.publish("qa", 1)
    site.look(2)
    assert site.why(1) == f"{SIGNATURE} is missing"
    site.bucket.write({SIGNATURE: b"signed"}, "qa/1")
    site.look()
    assert (site.root / "qa/1" / SIGNATURE).read_bytes() == b"signed"


def test_what_is_refused_is_asked_for_again_only_later_or_once_it_is_another(
    site: Site, caplog: pytest.LogCaptureFixture
):
    site.bucket.publish("qa", 2)
    site.bucket.system.fails["saved_model.pb"] = "is other"
    site.look()
    site.bucket.system.reads.clear()
    site.look(5)
    assert site.bucket.system.reads == []

    site.now += AGAIN
    site.look()
    assert site.bucket.system.reads != []
    assert caplog.text.count("is not pulled") == 1
    site.now += AGAIN
    del site.bucket.system.fails["saved_model.pb"]
    site.look()
    assert site.whole() == set()  # twice as long
    site.now += AGAIN
    site.look()
    assert site.whole() == {2}


def test_a_store_that_cannot_be_read_says_so_only_in_the_log(site: Site, caplog: pytest.LogCaptureFixture):
    site.bucket.publish("qa", 2)
    site.bucket.system.fails["saved_model.pb"] = "raises"
    site.look()
    assert site.why(2) == "it cannot be read from the store"
    assert "TimeoutError: too slow" in caplog.text


def test_links_are_not_followed(tmp_path: Path):
    published = tmp_path / "store"
    for number in (1, 2):
        for name, text in content("qa", number).items():
            path = published / "qa" / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    (published / "qa" / "2" / "passwd").symlink_to("/etc/passwd")
    (published / "qa" / "3").symlink_to(published / "qa" / "1")
    cache = Cache(tmp_path / "cache")
    mirror = Mirror(connect(f"file://{published}"), cache, Wishes(tmp_path / "cache", default="all"))
    mirror.look()
    mirror.look()
    assert (cache.whole("qa"), cache.numbers("qa")) == ({1}, {1, 2})


def test_a_disk_without_room_is_told_before_anything_is_pulled(site: Site):
    with (
        pytest.raises(Unfit, match="it needs 1,152,921,504,673,955,840 bytes of the disk") as caught,
        site.cache.put("qa", 1, {"saved_model.pb": Part(2**60)}),
    ):
        pass
    assert caught.value.reason == "disk"


def test_a_version_that_nobody_wants_or_serves_leaves_later(site: Site):
    site.bucket.publish("qa", 1)
    site.look()
    site.told["qa"] = Told((1,))
    site.bucket.publish("qa", 2)
    site.look()
    site.now += 2 * KEEP
    site.look()
    assert site.whole() == {1, 2}  # it is served still

    site.told["qa"] = Told((2,))
    site.look()
    site.now += KEEP - 1
    site.look()
    assert site.whole() == {1, 2}
    site.now += 1
    site.look()
    assert site.whole() == {2}


def test_a_version_that_workers_refuse_stays_and_the_one_before_is_pulled(site: Site, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    for number in (1, 2, 3):
        site.bucket.publish("qa", number)
    site.bucket.write({"saved_model.pb": b""}, "qa/3")
    site.look(2)
    assert site.whole() == {2}
    site.told["qa"] = Told((), refused={2: Verdict("wrong-answers", "…")})
    for _ in range(3):
        site.look()
        site.now += KEEP
    assert site.whole() == {1, 2}
    assert site.why(3)
    assert "leaves the cache" not in caplog.text


def test_where_only_the_fleet_is_away_no_other_version_is_pulled(site: Site):
    for number in (1, 2):
        site.bucket.publish("qa", number)
    site.look()
    site.told["qa"] = Told((), refused={2: Verdict(AWAY, "nobody at fleet:8500")})
    site.look()
    assert site.whole() == {2}


def test_a_version_that_leaves_the_store_leaves_the_cache_at_once(site: Site):
    for number in (1, 2):
        site.bucket.publish("qa", number)
    site.look()
    site.told["qa"] = Told((2,))
    site.bucket.remove("qa/2")
    site.look()
    assert site.whole() == {1}


def test_it_stays_where_no_other_can_take_its_place(site: Site):
    site.bucket.publish("qa", 2)
    site.look()
    site.told["qa"] = Told((2,))
    site.bucket.remove("qa/2")
    site.bucket.publish("qa", 1)
    site.bucket.write({"saved_model.pb": b""}, "qa/1")
    site.look(3)
    assert site.whole() == {2}


def test_a_model_that_leaves_the_store_stays_until_a_server_starts(site: Site, caplog: pytest.LogCaptureFixture):
    for model in ("qa", "other"):
        site.bucket.publish(model, 1)
    site.look()
    site.bucket.remove("qa")
    site.look(3)
    assert site.whole("qa") == {1}
    assert caplog.text.count("qa is no longer in the store; its copy stays") == 1
    site.mirror.forget()
    assert (site.whole("qa"), site.whole("other")) == (set(), {1})


def test_a_model_that_is_not_named_any_more_leaves_when_a_server_starts(site: Site):
    for model in ("qa", "other"):
        site.bucket.publish(model, 1)
    site.look()
    site.wishes = replace(site.wishes, named=("qa",))
    site.begin()
    site.mirror.forget()
    assert (site.whole("qa"), site.whole("other")) == ({1}, set())


@pytest.mark.parametrize("how", ["away", "empty"])
def test_a_store_that_is_away_takes_nothing_away(site: Site, how: str):
    site.bucket.publish("qa", 1)
    site.look()
    if how == "away":
        site.bucket.system.away = True
    else:
        site.bucket.system.store.clear()
        site.bucket.system.pseudo_dirs = [""]
    for step in (site.mirror.look, site.mirror.forget):
        with pytest.raises(Away):
            step()
    assert site.whole() == {1}


def test_one_process_pulls_at_a_time(site: Site):
    held = site.cache.lock()
    assert held is not None
    assert site.cache.lock() is None


NUMBERS = st.integers(1, 4)


class Mirroring(RuleBasedStateMachine):
    """Versions come, change, break and go while the store and the one who pulls fail; workers follow the cache."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.site = Site(self.folder / "cache")
        self.right: set[int] = set()
        self.site.bucket.publish("other", 1)

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(number=NUMBERS, described=st.booleans())
    def publish(self, number, described):
        self.clear(number)
        self.site.bucket.publish("qa", number, described)
        self.right.add(number)

    @rule(number=NUMBERS, change=st.sampled_from(list(BROKEN.values())))
    def publish_something_wrong(self, number, change):
        self.clear(number)
        files = content("qa", number)
        self.site.bucket.write(
            files | {NAME: manifest("qa", number, files | {"more": b""})} | change[0], f"qa/{number}"
        )

    @rule(number=NUMBERS, parts=st.integers(0, 2))
    def publish_a_part(self, number, parts):
        self.clear(number)
        files = content("qa", number)
        part = dict(list(files.items())[1 : 1 + parts])
        self.site.bucket.write(part | {NAME: manifest("qa", number, files)}, f"qa/{number}")

    @rule(number=NUMBERS)
    def withdraw(self, number):
        self.clear(number)

    def clear(self, number):
        """Take a version away; and with it the cache's, for a version never changes."""
        if number in self.site.cache.whole("qa"):
            self.site.cache.remove("qa", number)
        if self.site.bucket.system.exists(f"/bucket/models/qa/{number}"):
            self.site.bucket.remove(f"qa/{number}")
        self.right.discard(number)

    @rule(name=st.sampled_from([*content("qa", 1), NAME]), how=st.sampled_from(["raises", "is gone", "is short"]))
    def reads_fail(self, name, how):
        self.site.bucket.system.fails[name.rpartition("/")[2]] = how

    @rule(wanted=st.one_of(st.none(), st.integers(1, 3), st.lists(NUMBERS, max_size=2)))
    def rule_otherwise(self, wanted):
        text = "{}" if wanted is None else f'{{"qa": {{"versions": {wanted}}}}}'
        self.site.bucket.write({FILE: text.encode()})

    @rule(away=st.booleans())
    def come_and_go(self, away):
        self.site.bucket.system.away = away

    @rule()
    def die_and_begin_again(self):
        """In the middle of a pull, and of a write."""
        system = self.site.bucket.system
        system.fails["saved_model.pb"] = "kills"
        with contextlib.suppress(Away, SystemExit):
            self.site.look()
        del system.fails["saved_model.pb"]
        self.site.begin()

    @rule(seconds=st.sampled_from([1, AGAIN, KEEP]))
    def wait(self, seconds):
        self.site.now += seconds

    @rule()
    def look(self):
        try:
            self.site.look()
        except Away:
            assert self.site.bucket.system.away

    @rule()
    def follow(self):
        """What the workers do: serve what the policy wants of the cache."""
        known = policies.read(self.site.root / FILE).get("qa", Policy())
        chosen = known.choose(self.site.whole(), 1, lambda _: True)
        if chosen or known.versions == ():
            self.site.told["qa"] = Told(tuple(chosen))

    @precondition(lambda self: not self.site.bucket.system.away)
    @rule()
    def all_goes_well(self):
        """In the end what is wanted is there."""
        self.site.bucket.system.fails.clear()
        self.site.now += 10_000
        self.site.look(2)
        self.site.now += 10_000
        self.site.look()
        known = policies.read(self.site.root / FILE).get("qa", Policy())
        assert set(known.choose(self.right, 1, lambda _: True)) <= self.site.whole()

    @invariant()
    def what_is_there_is_whole_and_right(self):
        for number in self.site.whole():
            found = files(self.site.root / "qa" / str(number))
            found.pop(NAME, None)
            assert found == content("qa", number)

    @invariant()
    def only_versions_show(self):
        for version in (self.site.root / "qa").glob("*"):
            assert version.name in "1234"


Mirroring.TestCase.settings = hypothesis_settings(max_examples=40, stateful_step_count=30, deadline=None)
TestMirroring = Mirroring.TestCase
