"""A model's policy, asked and changed over HTTP; and who answers then."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service import loading
from service.access.guard import Guard
from service.access.keyring import Keyring
from service.access.keys import Scope
from service.app import create_app
from service.settings import Settings
from service.versions.catalog import Catalog
from service.versions.repository import Repository
from service.versions.told import Folder
from service.versions.trial import Trial
from service.versions.wishes import CannotWrite, Wishes
from tests.service.fakes import Hand
from tests.service.keys import granted
from tests.service.oip import tensor
from tests.service.site import Site

PATH = "/admin/models/toy/policy"
ROW = {"text": "cat", "numbers": [1, 2, 3]}
INPUTS = {"inputs": [tensor("text", "INT32", [[2]]), tensor("numbers", "FP32", [[1, 2, 3]])]}


class Office:
    """A toy in versions 3 and 4, the draw of the canary in our hand, and a client with a key for everything."""

    def __init__(self, root: Path, toy_folder: Path) -> None:
        self.store = root / "store"
        for number in ("3", "4"):
            shutil.copytree(toy_folder, self.store / "toy" / number)
        self.drawn = 0.0
        settings, hand = Settings(store=str(self.store), engine="onnx"), Hand()
        load = partial(loading.load, settings=settings, choose_driver=lambda _: hand)
        self.trial = Trial(load, root / "loading", lambda _: 0, lambda: None)
        catalog = Catalog([], self.trial, grace=0, draw=lambda: self.drawn)
        repository = Repository(catalog, Wishes.of(settings), Folder(root / "served"), self.trial)
        repository.follow()
        key = granted(root / "keys.json", "ops", *Scope)
        guard = Guard(Keyring(root / "keys.json"), root / "places")
        self.client = create_app(settings, catalog, hand.wait, repository, guard).test_client()
        self.client.environ_base["HTTP_X_API_KEY"] = key

    def put(self, policy: Any, status: int = 200) -> Any:
        response = self.client.put(PATH, json=policy)
        assert response.status_code == status, response.text
        return response.json

    def version(self, query: str = "") -> str:
        return self.client.post(f"/predict/toy{query}", json=ROW).headers["X-Model-Version"]


@pytest.fixture
def office(tmp_path: Path, toy_folder: Path) -> Office:
    return Office(tmp_path, toy_folder)


class TestPolicy:
    def test_it_is_changed_in_the_file_and_at_once(self, office: Office):
        told = office.put({"versions": [3], "labels": {"stable": 3}})
        assert told["policy"] == {"versions": [3], "labels": {"stable": 3}}
        assert [(one["version"], one["state"]) for one in told["versions"]] == [(4, "END"), (3, "AVAILABLE")]
        assert office.client.get(PATH).json == told
        assert json.loads((office.store / "serving.json").read_text()) == {"toy": told["policy"]}
        assert office.version() == "3"

    def test_the_canary_is_drawn_for_each_request(self, office: Office):
        office.put({"canary": {"version": 4, "percent": 25}})
        for office.drawn, version in ((0.24, "4"), (0.25, "3"), (0.99, "3")):
            assert office.version() == version

    def test_a_label_names_a_version_in_every_dialect(self, office: Office):
        office.put({"labels": {"stable": 3}})
        assert office.version() == "4"
        assert office.version("?label=stable") == "3"
        for path, body in (
            ("/v2/models/toy/infer?label=stable", INPUTS),
            ("/v1/models/toy/labels/stable:predict", {"instances": [ROW]}),
        ):
            assert office.client.post(path, json=body).headers["X-Model-Version"] == "3"
        assert office.client.get("/models/toy?label=stable").json["version"] == 3

    @pytest.mark.parametrize("path", ["/predict/toy?label=stabel", "/v2/models/toy/infer?label=stabel"])
    def test_an_unknown_label_is_told_which_there_are(self, office: Office, path):
        office.put({"labels": {"stable": 3}})
        response = office.client.post(path, json=ROW)
        assert response.status_code == 404
        assert "toy has no label 'stabel', did you mean 'stable'?" in response.text

    def test_a_label_and_a_version_are_one_too_many(self, office: Office):
        response = office.client.post("/predict/toy?label=a&version=3", json=ROW)
        assert response.json["faults"] == [{"pointer": "?/label", "detail": "expected a version or a label, got both"}]

    def test_faults_have_their_places_and_change_nothing(self, office: Office):
        told = office.put({"canary": {"version": 4, "percent": 101}, "shadw": 1}, 422)
        assert [fault["pointer"] for fault in told["faults"]] == ["/canary/percent", "/shadw"]
        assert office.client.put(PATH, data=b"{").status_code == 400
        assert office.client.get(PATH).json["policy"] == {}

    def test_a_policy_file_that_cannot_be_written_is_told_without_its_place(self, office: Office):
        (office.store / "serving.json").write_text('{"toy": {"shadw": 1}}')
        told = office.put({"versions": 2}, 409)
        assert (
            told["detail"]
            == "the policy file must be mended first: /toy/shadw: unknown key 'shadw', did you mean 'shadow'?"
        )
        (office.store / "serving.json").unlink()
        (office.store / ".serving.json.lock").mkdir()
        told = office.put({"versions": 2}, 409)
        assert "MANIFOLD_POLICY may name another" in told["detail"]
        assert str(office.store) not in told["detail"]
        assert office.version() == "4"

    def test_nor_is_the_place_of_a_file_of_another_name(self, tmp_path: Path):
        (file := tmp_path / "rules.json").write_text('{"toy": {"\\udc80": 1}}')
        with pytest.raises(CannotWrite) as caught:
            Wishes(tmp_path, file=file).write("toy", lambda policy: policy)
        assert str(tmp_path) not in str(caught.value)
        assert str(caught.value).encode(), "it can be sent"

    def test_nothing_is_written_through_a_link_in_the_store(self, office: Office, tmp_path: Path):
        (precious := tmp_path / "precious").write_text("as it was")
        (office.store / ".serving.json.lock").symlink_to(precious)
        office.client.put(PATH, json={"versions": 2})
        assert precious.read_text() == "as it was"

    def test_a_model_that_is_not_there_is_not_found(self, office: Office):
        assert office.client.put("/admin/models/nobody/policy", json={}).status_code == 404
        assert office.client.get("/admin/models/nobody/policy").status_code == 404


def test_without_keys_nobody_asks_or_changes(site: Site):
    answers: list[TestResponse] = [site.client.get(PATH), site.client.put(PATH, json={"versions": 1})]
    assert [(answer.status_code, answer.json["type"]) for answer in answers] == [
        (403, "urn:manifold:problem:admin-off")
    ] * 2
