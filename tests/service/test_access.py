"""API keys: what stands in their file, how it is followed, and what a key may."""

import json
import os
import stat
import string
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.__main__ import main
from service.access import keys
from service.access.audit import MOST_STRANGERS, Audit
from service.access.guard import Guard
from service.access.keyring import LOOK, Keyring
from service.access.keys import BadKeys, Key, Scope
from service.access.places import Places
from service.errors import Forbidden, KeyBusy, Unauthenticated
from service.logs import JSON
from tests.service.fakes import Clock
from tests.service.keys import entry, granted, put
from tests.service.server import ROOT

SECRET = "mfd_" + "x" * 43


class TestFile:
    def test_a_key_has_256_random_bits_and_only_its_hash_is_kept(self):
        made = keys.fresh()
        assert made.startswith("mfd_")
        assert len(made) == 4 + 43  # 43 of base64 hold 258 bits
        assert made != keys.fresh()
        assert made not in json.dumps(entry(made, "shop", Scope.READ))

    def test_an_entry_is_what_it_says(self):
        one = entry(SECRET, "shop", Scope.READ, models=["qa"], concurrency=2, expires="1970-01-02", created="now")
        assert keys.loads(json.dumps([one])) == {
            keys.digest(SECRET): Key(
                "shop", keys.digest(SECRET), frozenset([Scope.READ]), frozenset(["qa"]), 2, 86400.0
            )
        }

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": "a b"}, "name: expected"),
            ({"name": None}, "name: expected"),
            ({"sha256": "AB" * 32}, "sha256: expected"),
            ({"scopes": []}, "scopes: expected a list of predict, read, admin"),
            ({"scopes": ["root"]}, "scopes"),
            ({"scopes": "read"}, "scopes"),
            ({"scopes": [["read"]]}, "scopes"),
            ({"models": "qa"}, "models"),
            ({"models": ["../qa"]}, "models"),
            ({"concurrency": 0}, "concurrency"),
            ({"concurrency": True}, "concurrency"),
            ({"concurrency": None}, "concurrency"),
            ({"expires": "soon"}, "expires"),
            ({"expires": 7}, "expires"),
            ({"concurency": 7}, "there is no field 'concurency'"),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_is_taken(self, change, words):
        right = entry(keys.fresh(), "right", Scope.READ)
        with pytest.raises(BadKeys, match=f"entry 1: .*{words}"):
            keys.loads(json.dumps([right, entry(SECRET, "shop", Scope.READ) | change]))

    @pytest.mark.parametrize("text", ["", "{}", "[1]", "[[]]", "nil", b"\xff", "[" * 9, "[" * 100_000])
    def test_what_is_no_list_of_entries_is_refused(self, text):
        with pytest.raises(BadKeys):
            keys.loads(text)

    def test_a_key_may_stand_there_once_a_name_many_times(self):
        both = [entry(keys.fresh(), "shop", Scope.READ), entry(keys.fresh(), "shop", Scope.READ)]
        assert len(keys.loads(json.dumps(both))) == 2
        with pytest.raises(BadKeys, match="entry 2: that key stands there already"):
            keys.loads(json.dumps([*both, both[0] | {"name": "other"}]))


def piped(file: Path) -> None:
    """Put a pipe in the file's place, of which nobody writes the other end."""
    file.unlink()
    os.mkfifo(file)


class TestKeyring:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "keys.json"

    def test_it_follows_its_file_once_a_second(self, file: Path):
        clock = Clock()
        old = granted(file, "shop", Scope.READ)
        ring = Keyring(file, clock)
        assert ring.find(old).name == "shop"
        put(file, [entry(SECRET, "new", Scope.READ)])
        clock.now = LOOK * 0.99
        assert (ring.find(old).name, ring.find(SECRET)) == ("shop", None)
        clock.now = LOOK
        assert (ring.find(old), ring.find(SECRET).name) == (None, "new")

    @pytest.mark.parametrize("spoil", [lambda file: file.write_text("["), Path.unlink, piped])
    def test_a_broken_file_changes_nothing_and_is_told_once(self, file: Path, caplog, spoil: Callable[[Path], Any]):
        clock = Clock()
        secret = granted(file, "shop", Scope.READ)
        ring = Keyring(file, clock)
        for _ in range(3):
            assert ring.find(secret).name == "shop"
            clock.now += LOOK
            if clock.now == LOOK:
                spoil(file)
                open_files = len(list(Path("/dev/fd").iterdir()))
        assert caplog.text.count("the keys stay as they were") == 1
        assert len(list(Path("/dev/fd").iterdir())) == open_files
        other = granted(file.with_name("other"), "mended", Scope.READ)
        file.with_name("other").replace(file)
        clock.now += LOOK
        assert (ring.find(secret), ring.find(other).name) == (None, "mended")

    def test_without_a_file_nobody_is_known(self, file: Path):
        assert Keyring(file).find(SECRET) is None

    def test_no_log_line_has_a_key(self, file: Path, caplog):
        caplog.set_level("DEBUG")
        secret = granted(file, "shop", Scope.READ)
        ring = Keyring(file)
        assert ring.find(secret)
        assert ring.find(SECRET) is None
        assert ": 1 key" in caplog.text
        assert secret not in caplog.text
        assert SECRET not in caplog.text


class TestGuard:
    """One key with every limit."""

    @pytest.fixture
    def guard(self, tmp_path: Path) -> Guard:
        one = entry(SECRET, "shop", Scope.READ, models=["qa"], concurrency=2, expires="1970-01-01T00:01:00")
        put(tmp_path / "keys.json", [one, entry("all", "all", *Scope)])
        return Guard(Keyring(tmp_path / "keys.json"), tmp_path / "places", Clock(59.0))

    @pytest.mark.parametrize(
        ("authorization", "api_key"),
        [
            (f"Bearer {SECRET}", None),
            (f"bearer {SECRET}", "another"),
            (None, SECRET),
            ("Basic dTpw", SECRET),
        ],
    )
    def test_a_key_comes_in_either_header(self, guard: Guard, authorization, api_key):
        assert guard.identify(authorization, api_key).name == "shop"

    @given(text=st.text(), api_key=st.none() | st.text())
    def test_nothing_else_is_a_key(self, tmp_path_factory, text, api_key):
        folder = tmp_path_factory.mktemp("keys")
        granted(folder / "keys.json", "shop", *Scope)
        guard = Guard(Keyring(folder / "keys.json"), folder)
        for authorization in (text, f"Bearer {text}", None):
            with pytest.raises(Unauthenticated):
                guard.identify(authorization, api_key)

    @given(at=st.integers(0, len(SECRET) - 1), character=st.sampled_from(string.printable))
    def test_a_key_that_is_nearly_right_is_none(self, tmp_path_factory, at, character):
        folder = tmp_path_factory.mktemp("keys")
        put(folder / "keys.json", [entry(SECRET, "shop", *Scope)])
        guard = Guard(Keyring(folder / "keys.json"), folder)
        near = SECRET[:at] + character + SECRET[at + 1 :]
        for wrong in {near, SECRET[:at], SECRET + character, character + SECRET} - {SECRET}:
            with pytest.raises(Unauthenticated):
                guard.identify(None, wrong)

    def test_a_key_ends(self, guard: Guard):
        guard._clock.now = 60.0
        with pytest.raises(Unauthenticated, match="the key has expired"):
            guard.identify(None, SECRET)
        assert guard.identify(None, "all").name == "all"

    @pytest.mark.parametrize("scope", [Scope.PREDICT, Scope.ADMIN])
    def test_a_scope_that_is_missing_is_named(self, guard: Guard, scope: Scope):
        with pytest.raises(Forbidden, match=f"the key shop has no scope {scope.value}"):
            guard.enter(guard.identify(None, SECRET), scope, lambda: "qa")

    @pytest.mark.parametrize("model", ["other", None, "", "QA", "qa/"])
    def test_a_key_is_for_its_models_alone(self, guard: Guard, model):
        with pytest.raises(Forbidden, match="only for qa"):
            guard.enter(guard.identify(None, SECRET), Scope.READ, lambda: model)

    def test_so_many_requests_at_once_and_no_more(self, guard: Guard):
        key = guard.identify(None, SECRET)
        leave, _ = [guard.enter(key, Scope.READ, lambda: "qa") for _ in range(2)]
        for _ in range(3):
            with pytest.raises(KeyBusy) as caught:
                guard.enter(key, Scope.READ, lambda: "qa")
            assert caught.value.retry_after == 1
        leave()
        guard.enter(key, Scope.READ, lambda: "qa")
        with pytest.raises(KeyBusy):
            guard.enter(key, Scope.READ, lambda: "qa")

    def test_places_are_those_of_all_processes_and_come_back_from_the_dead(self, tmp_path: Path):
        here = Places(tmp_path / "places", 3)
        assert here.take() is not None
        code = (
            "import sys; from pathlib import Path; from service.access.places import Places; "
            "p = Places(Path(sys.argv[1]), 3); print(sum(p.take() is not None for _ in range(9)), flush=True); input()"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "places")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with other:
            assert other.stdout.readline() == "2\n"
            assert here.take() is None
            other.kill()
            other.wait()
        places = {here.take(), here.take()}
        assert len(places) == 2
        assert here.take() is None
        for place in places:
            here.leave(place)
        assert {here.take(), here.take()} == places


class TestAudit:
    def test_every_change_is_one_line_in_file_and_log(self, tmp_path: Path, caplog):
        caplog.set_level("INFO", "manifold.audit")
        audit = Audit(str(tmp_path / "audit"), lambda: "noon")
        audit.record("ops", "127.0.0.1", "POST /x\nnew line", "done", status=200)
        audit.record("", "::1", "POST /y", "refused")
        lines = (tmp_path / "audit").read_text().splitlines()
        assert [json.loads(line) for line in lines] == [
            {
                "time": "noon",
                "who": "ops",
                "address": "127.0.0.1",
                "what": "POST /x\nnew line",
                "outcome": "done",
                "status": 200,
            },
            {"time": "noon", "who": "", "address": "::1", "what": "POST /y", "outcome": "refused"},
        ]
        assert [record.getMessage() for record in caplog.records] == lines
        assert [json.loads(JSON.format(record))["who"] for record in caplog.records] == ["ops", ""]
        assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o600

    def test_strangers_do_not_fill_it(self, tmp_path: Path):
        clock = Clock()
        audit = Audit(str(tmp_path / "audit"), lambda: "noon", clock)
        for _ in range(MOST_STRANGERS + 5):
            audit.record("", "::1", "POST /x", "refused")
        audit.record("ops", "::1", "POST /x", "done")
        clock.now = 1.0
        audit.record("", "::1", "POST /x", "refused")
        told = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
        assert [one["who"] for one in told] == [""] * MOST_STRANGERS + ["ops", ""]
        assert [one.get("omitted") for one in told[-2:]] == [None, 5]

    @pytest.mark.parametrize(("make", "words"), [(Path.mkdir, "Is a directory"), (os.mkfifo, "No such device")])
    def test_a_file_that_cannot_be_written_is_told_and_stops_nobody(self, tmp_path: Path, caplog, make, words):
        make(tmp_path / "audit")
        Audit(str(tmp_path / "audit")).record("ops", "", "POST /x", "done")
        assert words in caplog.text


class TestCommand:
    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("MANIFOLD_KEYS", str(tmp_path / "keys.json"))
        monkeypatch.setenv("MANIFOLD_AUDIT", str(tmp_path / "audit"))
        return tmp_path / "keys.json"

    def test_a_key_is_made_listed_and_removed(self, file: Path, capsys):
        scopes = ["--scope", "predict", "--scope", "read"]
        limits = ["--model", "qa", "--concurrency", "3", "--expires", "2999-01-01"]
        assert main(["keys", "add", "shop", *scopes, *limits]) == 0
        secret = capsys.readouterr().out.strip()
        [key] = keys.loads(file.read_text()).values()
        assert (key.name, key.digest, key.concurrency) == ("shop", keys.digest(secret), 3)
        assert (key.scopes, key.models) == ({Scope.PREDICT, Scope.READ}, {"qa"})
        assert secret not in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert main(["keys", "add", "shop", "--scope", "admin"]) == 0
        newer = capsys.readouterr().out.strip()
        assert main(["keys", "list"]) == 0
        listed = capsys.readouterr().out.splitlines()
        assert "models qa  concurrency 3  expires 2999-01-01" in listed[0]
        assert secret not in listed[0]
        assert main(["keys", "remove", "shop", "--sha256", listed[0].split()[1]]) == 0
        assert list(keys.loads(file.read_text())) == [keys.digest(newer)]
        assert main(["keys", "remove", "shop"]) == 0
        assert keys.loads(file.read_text()) == {}
        told = [json.loads(line) for line in (file.parent / "audit").read_text().splitlines()]
        assert [one["what"] for one in told] == ["keys add", "keys add", "keys remove", "keys remove"]
        assert {one["key"] for one in told} == {"shop"}

    @pytest.mark.parametrize(
        "given",
        [
            ["add", "a b", "--scope", "read"],
            ["add", "shop", "--scope", "read", "--concurrency", "0"],
            ["add", "shop", "--scope", "read", "--concurrency", "x"],
            ["add", "shop", "--scope", "read", "--expires", "soon"],
            ["add", "shop", "--scope", "read", "--model", "../qa"],
            ["remove", "nobody"],
            ["--file", "/nowhere/keys.json", "list"],
            ["--file", "/nowhere/keys.json", "add", "shop", "--scope", "read"],
        ],
    )
    def test_a_mistake_is_told_and_changes_nothing(self, file: Path, capsys, given):
        granted(file, "shop", Scope.READ)
        before = file.read_text()
        assert main(["keys", *given]) == 2
        told = capsys.readouterr().err
        assert "Traceback" not in told
        assert "entry" not in told
        assert file.read_text() == before
        assert [path.name for path in file.parent.iterdir()] == ["keys.json"]

    def test_no_server_starts_with_keys_it_cannot_read(self, file: Path, capsys):
        for text, words in ((None, "No such file"), ("[{}]", "entry 0: name"), ("", "not JSON")):
            if text is not None:
                file.write_text(text)
            assert main(["serve"]) == 2
            assert words in capsys.readouterr().err
        assert main(["serve", "--keys", "", "--audit", str(file.parent)]) == 2
        assert "Is a directory" in capsys.readouterr().err
        assert main(["serve", "--keys", "", "--trust", str(file)]) == 2
        assert "expected a public key, 32 bytes" in capsys.readouterr().err

    def test_who_reads_the_file_reads_it_still(self, file: Path):
        granted(file, "shop", Scope.READ)
        file.chmod(0o640)
        assert main(["keys", "add", "other", "--scope", "read"]) == 0
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
