"""What publishes in a store at a URL, and what keeps and is the process that pulls from one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.__main__ import main
from service.settings import BadSettings, Settings, read
from service.storage import command, keeper
from service.storage.keeper import Keeper
from service.storage.outline import outline
from service.storage.puller import Puller
from service.storage.push import CannotPush, publish, push
from service.versions import policies
from service.versions.manifest import NAME, SIGNATURE, Untrusted
from service.versions.policies import FILE
from service.versions.policy import Policy
from service.versions.wishes import CannotWrite, Wishes
from tests.service.remotes import ROOT, Bucket, content, manifest
from tests.service.server import SECONDS

URL = "memory://bucket/models"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A version's folder without a manifest."""
    write(tmp_path / "store", 3)
    return tmp_path / "store" / "qa" / "3"


def write(store: Path, number: int) -> None:
    for name, text in content("qa", number).items():
        path = store / "qa" / str(number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


class TestPush:
    """A version is whole once its manifest is there, which is the last to come."""

    def test_all_files_are_published_and_the_manifest_last(self, folder: Path):
        bucket = Bucket()
        assert publish(folder, bucket.remote, URL).startswith(f"{URL}/qa/3: 4 files, ")
        names = [path.removeprefix(f"{ROOT}/qa/3/") for path in bucket.system.written]
        assert sorted(names) == sorted([*content("qa", 3), NAME])
        assert names[-1] == NAME

    def test_what_was_published_before_it_was_signed_gets_its_signature(self, folder: Path):
        bucket = Bucket()
        publish(folder, bucket.remote, URL)
        for signature in ("signed", "signed by the next key"):
            (folder / SIGNATURE).write_text(signature)
            bucket.system.written.clear()
            assert (
                publish(folder, bucket.remote, URL) == f"{URL}/qa/3 is there already, the same; now with this signature"
            )
            assert bucket.system.written == [f"{ROOT}/qa/3/{SIGNATURE}"]
        assert publish(folder, bucket.remote, URL) == f"{URL}/qa/3 is there already, the same"

    def test_a_signature_comes_before_what_it_signs(self, folder: Path):
        bucket = Bucket()
        (folder / NAME).write_bytes(manifest("qa", 3, content("qa", 3)))
        (folder / SIGNATURE).write_text("signed")
        publish(folder, bucket.remote, URL)
        assert [path.rpartition("/")[2] for path in bucket.system.written[-2:]] == [SIGNATURE, NAME]

    def test_again_is_nothing_and_another_is_refused(self, folder: Path):
        bucket = Bucket()
        publish(folder, bucket.remote, URL)
        bucket.system.written.clear()
        assert publish(folder, bucket.remote, URL) == f"{URL}/qa/3 is there already, the same"
        (folder / "saved_model.pb").write_bytes(b"another")
        (folder / NAME).unlink()
        with pytest.raises(CannotPush, match="qa/3 is published already, and is another: take the next number"):
            publish(folder, bucket.remote, URL)
        assert bucket.system.written == []

    def test_what_was_broken_off_is_gone_on_with(self, folder: Path):
        bucket = Bucket()
        bucket.write({"saved_model.pb": b"half"}, "qa/3")
        publish(folder, bucket.remote, URL)
        assert bucket.system.cat_file(f"{ROOT}/qa/3/saved_model.pb") == content("qa", 3)["saved_model.pb"]

    def test_what_is_not_as_its_manifest_says_is_not_published(self, folder: Path):
        (folder / NAME).write_bytes(manifest("qa", 3, {}))
        bucket = Bucket()
        with pytest.raises(Untrusted):
            publish(folder, bucket.remote, URL)
        assert bucket.system.store == {}

    @pytest.mark.parametrize("store", ["models", "s3://key:secret@bucket/models", "nothing://bucket"])
    def test_what_is_no_store_is_told_without_its_secrets(self, folder: Path, store: str, capsys):
        with pytest.raises(Exception, match=r"no URL|credentials|not known") as caught:
            push(folder, store)
        assert "secret" not in str(caught.value)
        with pytest.raises(CannotPush, match="is no version's folder"):
            push(folder / "assets", store)


class TestPolicy:
    """The commands `policy` and `rollback` change the file where it lies; servers follow."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Path:
        for number in (1, 2, 3):
            write(tmp_path / "published", number)
        return tmp_path / "published"

    def test_a_rollback_changes_the_store_s_own_file(self, store: Path, capsys):
        url = f"file://{store}"
        assert main(["rollback", "qa", "--store", url]) == 0
        assert f"written to {url}/serving.json" in capsys.readouterr().out
        assert policies.read(store / FILE) == {"qa": Policy(versions=(2,))}
        assert main(["policy", "qa", "--store", url, "--versions", "default"]) == 0
        assert main(["policy", "nobody", "--store", url]) == 2
        assert f"the store {url} has no version of nobody" in capsys.readouterr().err

    def test_two_who_change_it_at_once_do_not_undo_each_other(self):
        bucket = Bucket()
        bucket.publish("qa", 1)
        wishes = Wishes(Path("none"), source=URL)
        with outline(wishes, "qa", bucket.remote) as mine, outline(wishes, "qa", bucket.remote) as another:
            another.write("qa", lambda policy: replace(policy, nan="refuse"))
            with pytest.raises(CannotWrite, match="has changed meanwhile"):
                mine.write("qa", lambda policy: replace(policy, versions=(1,)))
        assert policies.parse(bucket.system.cat_file(f"{ROOT}/{FILE}")) == {"qa": Policy(nan="refuse")}

    def test_a_server_changes_no_copy(self, tmp_path: Path):
        wishes = Wishes.of(Settings(store=URL, cache=str(tmp_path)))
        with pytest.raises(CannotWrite, match=f"the policy file is that of {URL}: change it there"):
            wishes.write("qa", lambda policy: replace(policy, versions=()))
        assert list(tmp_path.iterdir()) == []

    def test_a_policy_file_elsewhere_is_the_server_s_own(self, tmp_path: Path):
        wishes = Wishes.of(Settings(store=URL, cache=str(tmp_path), policy=str(tmp_path / "own.json")))
        wishes.write("qa", lambda policy: replace(policy, versions=()))
        assert policies.read(tmp_path / "own.json") == {"qa": Policy(versions=())}


class TestPuller:
    """It looks as often as it shall, for as long as the server lasts, while no other does."""

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        write(tmp_path / "published", 1)
        return Settings(store=f"file://{tmp_path / 'published'}", cache=str(tmp_path / "cache"), store_poll=0.001)

    def test_what_has_no_manifest_is_looked_at_twice_before_the_start(self, settings: Settings):
        paused: list[float] = []
        assert Puller(settings).first(paused.append)
        assert paused == [settings.store_poll]

    def test_a_second_one_leaves_it_to_the_first(self, settings: Settings, caplog: pytest.LogCaptureFixture):
        caplog.set_level("INFO")
        one = Puller(settings)
        held = one._cache.lock()
        assert held is not None
        assert Puller(settings).first() is False
        assert "another process pulls" in caplog.text

    def test_it_looks_until_the_server_ends_which_it_notices_within_a_second(self, settings: Settings):
        paused: list[float] = []
        one = Puller(replace(settings, store_poll=2.5))
        one.follow(lambda: len(paused) < 5, paused.append)
        assert paused == [0, 1.0, 1.0, 0.5, 1.0]
        assert one._cache.whole("qa") == {1}

    def test_a_cache_that_cannot_be_written_is_not_taken_for_a_store_that_is_away(self, settings: Settings, caplog):
        settings.folder.parent.mkdir(parents=True)
        settings.folder.touch()
        one = Puller(settings)
        one.look()
        one.look()
        assert "the cache cannot be written (Not a directory); what is in" in caplog.text
        assert "cannot be reached" not in caplog.text

    def test_it_throws_away_what_one_before_it_had_not_pulled_whole_unless_another_pulls(self, settings: Settings):
        one = Puller(settings)
        half = one._cache._new()
        held = one._cache.lock()
        assert held is not None
        one.follow(iter([True, True, False, False]).__next__, lambda _: None)
        assert half.exists()

        os.close(held)
        one.follow(iter([True, False, False]).__next__, lambda _: None)
        assert not half.exists()

    def test_it_ends_at_once_where_its_server_has_ended_before_it_began(self, settings: Settings):
        assert command.pull(settings, follow=os.getpid()) == 0
        assert not settings.folder.exists()

    def test_it_logs_as_the_server_does(self, settings: Settings):
        done = subprocess.run(
            [sys.executable, "-m", "service", "pull"],
            env={
                "MANIFOLD_STORE": "file:///nowhere/at/all",
                "MANIFOLD_CACHE": settings.cache,
                "MANIFOLD_LOG_FORMAT": "json",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert [json.loads(line)["logger"] for line in done.stderr.splitlines()] == ["manifold.storage"]

    def test_it_says_once_that_the_store_is_away_and_once_that_it_is_back(self, settings: Settings, caplog):
        caplog.set_level("INFO")
        there = Path(settings.store.removeprefix("file://"))
        away = there.with_name("away")
        one = Puller(settings)
        for _ in range(2):
            there.rename(away)
            one.look()
            one.look()
            away.rename(there)
            one.look()
            one.look()
        assert caplog.text.count("cannot be reached (there is nothing at this URL)") == 2
        assert caplog.text.count("is reached again") == 2

    def test_without_the_extra_it_says_what_to_install(self, settings: Settings):
        look = "import sys; sys.modules['obstore'] = None; from service.__main__ import main; main(['pull'])"
        done = subprocess.run(
            [sys.executable, "-c", look],
            env={"MANIFOLD_STORE": "s3://bucket/models", "MANIFOLD_CACHE": settings.cache},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "s3://bucket/models needs fsspec and obstore (deploy/requirements/slim.txt)" in done.stderr

    @pytest.mark.parametrize("store", ["s3://key:secret@bucket/models", "s3://bucket/models?key=secret", "s3://"])
    def test_a_url_with_a_secret_is_refused_and_not_repeated(self, store: str):
        with pytest.raises(BadSettings, match="MANIFOLD_STORE: ") as caught:
            read({"MANIFOLD_STORE": store})
        assert "secret" not in str(caught.value)


def test_who_is_told_to_end_while_it_waits_for_the_first_pull_ends_that_too():
    pulls = f"import os, time; print(os.getpid(), flush=True); time.sleep({10 * SECONDS})"
    waits = f"import sys; from service.storage.keeper import once; once([sys.executable, '-c', {pulls!r}])"
    with subprocess.Popen([sys.executable, "-c", waits], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        process = int(server.stdout.readline())
        server.terminate()
        assert server.wait(SECONDS) == 0
    assert not Path(f"/proc/{process}").exists()


def test_who_is_told_to_end_just_as_the_first_pull_starts_ends_that_too():
    """Its process is there, but nobody knows its id yet."""
    waits = f"""
import signal, subprocess, sys
from service.storage.keeper import once
def start(command):
    process = subprocess.Popen(command)
    print(process.pid, flush=True)
    signal.raise_signal(signal.SIGTERM)
    return process
once([sys.executable, "-c", "import time; time.sleep({10 * SECONDS})"], start)
"""
    done = subprocess.run([sys.executable, "-c", waits], stdout=subprocess.PIPE, check=True, timeout=SECONDS)
    assert not Path(f"/proc/{int(done.stdout)}").exists()


class TestKeeper:
    """One process, started again when it has ended, and ended with the server."""

    def processes(self) -> Iterator[SimpleNamespace]:
        while True:
            process = SimpleNamespace(ended=None, signals=[])
            process.poll = lambda process=process: process.ended
            process.terminate = lambda process=process: process.signals.append(signal.SIGTERM)
            process.kill = lambda process=process: process.signals.append(signal.SIGKILL)
            yield process

    def test_it_is_started_again_but_not_at_once(self):
        now, started, made = [0.0], [], self.processes()
        kept = Keeper(["pull"], lambda _: started.append(next(made)) or started[-1], lambda: now[0])
        assert not any(kept.tend() for _ in range(3))
        assert len(started) == 1
        started[0].ended = -9
        assert not kept.tend()
        assert len(started) == 1
        now[0] += keeper.AGAIN
        assert kept.tend()
        assert len(started) == 2

    def test_one_that_does_not_end_is_killed(self):
        [process] = [next(self.processes())]
        waits = iter([subprocess.TimeoutExpired("pull", 1), None])

        def wait(seconds: float | None = None) -> None:
            if error := next(waits):
                raise error

        process.wait = wait
        kept = Keeper(["pull"], lambda _: process)
        kept.end()
        kept.tend()
        kept.end()
        assert process.signals == [signal.SIGTERM, signal.SIGKILL]

    def test_a_system_that_starts_none_is_asked_again(self, caplog: pytest.LogCaptureFixture):
        def start(_):
            raise OSError(11, "Resource temporarily unavailable")

        Keeper(["pull"], start).tend()
        assert "no process can be started (Resource temporarily unavailable)" in caplog.text
