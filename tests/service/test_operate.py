"""`python -m service rollback` and `policy`: what they print, and what they leave in the policy file."""

import contextlib
import json
import os
import pwd
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.__main__ import main, parser
from service.versions import operate, policies
from service.versions.operate import BadCommand
from service.versions.policy import Policy
from tests.service.test_policy import POLICIES


class Shop:
    """A store of m in versions 1 to 3, and what the commands print."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        for number in (1, 2, 3):
            (root / "m" / str(number)).mkdir(parents=True)
            (root / "m" / str(number) / "saved_model.pb").touch()

    def run(self, line: str, status: int = 0) -> str:
        assert main([*shlex.split(line), "--store", str(self.root)]) == status
        printed = self._capsys.readouterr()
        return printed.err if status else printed.out

    def policies(self) -> dict[str, Any]:
        file = self.root / "serving.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def undo(self, printed: str) -> None:
        [line] = re.findall("^undo: python -m service (.*)$", printed, re.MULTILINE)
        self.run(line)


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


class TestRollback:
    def test_the_version_before_the_newest_is_pinned_and_the_undo_undoes(self, shop: Shop):
        printed = shop.run("rollback m")
        assert shop.policies() == {"m": {"versions": [2]}}
        assert "wanted: 2; in the store: 3, 2, 1" in printed
        shop.undo(printed)
        assert shop.policies() == {}

    def test_it_says_from_where_to_where_since_no_server_tells_what_it_refused(self, shop: Shop):
        told = "from 3 to 2: where 3 was refused (GET /models tells), 2 answered already"
        assert f"{told}; if so, go on to 1 with --to 1\n" in shop.run("rollback m")
        assert "from 2 to 1: where 2 was refused (GET /models tells), 1 answered already\n" in shop.run("rollback m")
        assert "\nfrom " not in shop.run("rollback m --to 2")

    def test_who_has_no_name_is_on_record_by_his_number(self, shop: Shop, monkeypatch: pytest.MonkeyPatch):
        def nobody(uid: int) -> None:
            raise KeyError(f"getpwuid(): uid not found: {uid}")

        for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(pwd, "getpwuid", nobody)
        monkeypatch.setenv("MANIFOLD_AUDIT", str(shop.root / "audit"))
        shop.run("rollback m")
        assert json.loads((shop.root / "audit").read_text())["who"] == str(os.getuid())

    def test_it_is_put_on_record(self, shop: Shop, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("MANIFOLD_AUDIT", str(shop.root / "audit"))
        shop.run("rollback m")
        shop.run("policy m")
        [record] = map(json.loads, (shop.root / "audit").read_text().splitlines())
        assert (record["what"], record["model"], record["policy"]) == ("rollback", "m", {"versions": [2]})

    def test_once_more_goes_one_further_back_until_there_is_none(self, shop: Shop):
        shop.run("rollback m")
        shop.run("rollback m")
        assert shop.policies() == {"m": {"versions": [1]}}
        assert "no version before 1 in the store; there is 3, 2, 1" in shop.run("rollback m", 2)

    def test_to_a_version_that_is_there(self, shop: Shop):
        shop.run("rollback m --to 1")
        assert shop.policies() == {"m": {"versions": [1]}}
        for other in ("7", "0", "x"):
            assert f"no version {other} in the store; there is 3, 2, 1" in shop.run(f"rollback m --to {other}", 2)

    def test_older_versions_keep_their_labels_and_experiments_end(self, shop: Shop):
        shop.run("policy m --label stable=1 --label new=3 --canary 3=5 --shadow 3")
        printed = shop.run("rollback m --to 2")
        assert shop.policies() == {"m": {"versions": [2, 1], "labels": {"stable": 1, "new": 3}}}
        assert "not wanted or not there, though label, canary or shadow name it: 3" in printed
        shop.undo(printed)
        assert shop.policies()["m"]["canary"] == {"version": 3, "percent": 5}

    def test_the_canary_is_not_what_is_rolled_back(self, shop: Shop):
        shop.run("policy m --canary 3=5")
        shop.run("rollback m")
        assert shop.policies() == {"m": {"versions": [1]}}


class TestPolicy:
    def test_without_options_it_is_shown_and_nothing_written(self, shop: Shop):
        assert shop.run("policy m") == "m: {}\nwanted: 3; in the store: 3, 2, 1\n"
        assert shop.policies() == {}

    def test_every_part_is_set_and_taken_away(self, shop: Shop):
        shop.run("policy m --versions 2 --label a=1 --label b=2 --canary 3=2.5 --shadow 1 --nan refuse")
        assert shop.policies() == {
            "m": {
                "versions": 2,
                "labels": {"a": 1, "b": 2},
                "canary": {"version": 3, "percent": 2.5},
                "shadow": 1,
                "nan": "refuse",
            }
        }
        shop.run("policy m --versions default --label a= --label b= --canary none --shadow none --nan pass")
        assert shop.policies() == {}

    def test_faults_are_told_together_and_nothing_is_written(self, shop: Shop):
        told = shop.run("policy m --versions some --canary 3 --label a/b=1 --label stable", 2)
        assert len(told.splitlines()) == 4
        assert shop.policies() == {}

    def test_other_models_stay_and_a_file_with_mistakes_is_left_alone(self, shop: Shop):
        (shop.root / "serving.json").write_text('{"other": {"shadow": 2}}')
        shop.run("policy m --versions all")
        assert shop.policies() == {"other": {"shadow": 2}, "m": {"versions": "all"}}
        (shop.root / "serving.json").write_text('{"other": {"shadw": 2}}')
        assert "did you mean 'shadow'" in shop.run("policy m --versions 1", 2)
        assert shop.policies() == {"other": {"shadw": 2}}

    def test_a_model_that_is_not_there_is_told(self, shop: Shop):
        assert "has no version of nobody" in shop.run("policy nobody", 2)


@given(POLICIES, POLICIES)
def test_the_options_lead_from_any_policy_to_any_other(before: Policy, after: Policy):
    asked = parser().parse_args(["policy", "m", *operate.options(before, after).split()])
    assert operate.changed(after, asked) == before


@given(st.text())
def test_any_text_for_versions_is_read_or_refused(text):
    asked = parser().parse_args(["policy", "m", f"--versions={text}"])
    with contextlib.suppress(BadCommand):
        changed = operate.changed(Policy(), asked)
        assert policies.build(policies.document(changed), "", []) == changed
