"""Every route and every call with every kind of key: never more than its scopes allow, in the dialect's own words."""

import io
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from greenlet import GreenletExit
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from service.access.guard import Guard
from service.access.keyring import Keyring
from service.access.keys import Scope
from service.app import create_app
from service.batching.future import Future
from service.dialects.guarded import SCOPES, TFS, scope_of
from service.grpc import guarded as grpc_guarded
from service.grpc.front import METHODS as GRPC_METHODS
from service.settings import Settings
from service.tensors import Array, Tensors
from tests.service import fakes
from tests.service.calls import Client, new, predict, serving, spec
from tests.service.described import Promises
from tests.service.keys import entry, put

EVERY = [frozenset(chosen) for count in range(4) for chosen in combinations(Scope, count)]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
OPEN = {"oip.live", "oip.ready", "health.live", "health.ready", "openapi.docs", "openapi.part", "console.asset"}
SIGNING = {"console.ask", "console.enter", "console.leave"}  # which say by themselves whether a key is known
ASKED = {
    "native": ("/predict/fake", {"x": [1.0]}),
    "tfs": ("/v1/models/fake:predict", {"instances": [[1.0]]}),
    "oip": ("/v2/models/fake/infer", {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1.0]}]}),
}


def named(scopes: frozenset[Scope]) -> str:
    """The key with just these scopes; none can stand in a file without any."""
    return "-".join(sorted(scope.value for scope in scopes))


class Recorder:
    """A repository that only remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def load(self, model: str) -> "Future[Any]":
        self.told.append(model)
        done: Future[Any] = Future()
        done.set_running_or_notify_cancel()
        done.set_result(None)
        return done

    unload = load


class Protected:
    """The models fake and other, behind keys named after their scopes, and some with limits."""

    def __init__(self, folder: Path) -> None:
        self.hand = fakes.Hand()
        self.engine = fakes.FakeEngine()
        handles = [fakes.handle(self.engine, self.hand), fakes.handle(self.engine, self.hand, name="other")]
        self.catalog = fakes.catalog(handles)
        self.repository = Recorder()
        put(
            folder / "keys.json",
            [
                *(entry(named(scopes), f"key-{named(scopes)}", *scopes) for scopes in EVERY if scopes),
                entry("ended", "ended", *Scope, expires="2001-01-01"),
                entry("fake-only", "fake-only", *Scope, models=["fake"]),
                entry("one-place", "one-place", *Scope, concurrency=1),
            ],
        )
        self.settings = Settings(keys=str(folder / "keys.json"), audit=str(folder / "audit"), cors_origins="*")
        self.audit = folder / "audit"
        self.guard = Guard(Keyring(folder / "keys.json"), folder / "places")
        self.app = create_app(self.settings, self.catalog, self.hand.wait, self.repository, self.guard)
        self.client: FlaskClient = self.app.test_client()

    def ask(self, path: str, key: str | None, method: str = "POST", **more: Any) -> TestResponse:
        headers = {} if key is None else {"X-Api-Key": key}
        return self.client.open(path, method=method, headers=headers, **more)

    def audited(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.audit.read_text().splitlines()] if self.audit.exists() else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Protected:
    return Protected(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def client(site: Protected) -> Iterator[Client]:
    """Of the same service over gRPC."""
    with serving(site.settings, site.catalog, site.hand.wait, site.guard) as client:
        yield client


def paths(rule: Rule) -> list[str]:
    """Paths that a rule matches."""
    filled = rule.rule.replace("<model>", "fake").replace("<version>", "1").replace("<name>", "page.css")
    if rule.endpoint != TFS:
        return [filled]
    rests = ("", "models/fake", "models/fake:predict", "models/fake/versions/1:classify", "models/fake/metadata", "x")
    return [filled.replace("<path:rest>", rest) for rest in rests]


def error_of(path: str, response: TestResponse) -> str:
    """The message of an error, which has the form of the dialect of its path."""
    if path.startswith(("/v1/", "/v2")):
        assert response.mimetype == "application/json"
        return response.json["error"]
    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == response.status_code
    return response.json["detail"]


def needs(app: Flask, path: str, method: str) -> Scope | None:
    """The scope of the route that a path and method have, None if they have none."""
    try:
        endpoint, _ = app.url_map.bind("").match(path, method)
    except HTTPException:
        return None
    return scope_of(endpoint, method)


class TestEveryRoute:
    def test_each_has_a_scope_on_purpose(self, site: Protected):
        endpoints = {rule.endpoint for rule in site.app.url_map.iter_rules()}
        assert endpoints - {TFS} == set(SCOPES)
        assert {endpoint for endpoint, scope in SCOPES.items() if scope is None} == OPEN | SIGNING

    def test_one_that_was_forgotten_needs_admin(self):
        assert scope_of("forgotten", "GET") is Scope.ADMIN

    @pytest.mark.parametrize("shown", [None, "unknown", "ended", *filter(None, map(named, EVERY))])
    def test_a_key_allows_what_its_scopes_say_and_no_more(self, site: Protected, shown):
        """By status and, beyond that, by what happened: nothing was computed or changed that needed another scope."""
        scopes = {named(scopes): scopes for scopes in EVERY if scopes}.get(shown, frozenset())
        for rule in site.app.url_map.iter_rules():
            for path in paths(rule) if rule.endpoint not in SIGNING else ():
                for method in METHODS:
                    before = len(site.engine.calls), len(site.repository.told)
                    response = site.ask(path, shown, method, data=b"{")
                    after = len(site.engine.calls), len(site.repository.told)
                    needed = needs(site.app, path, method)
                    if needed is None or needed in scopes:
                        assert response.status_code not in (401, 403), (path, method)
                        continue
                    assert response.status_code == (403 if scopes else 401), (path, method)
                    assert after == before
                    if method != "HEAD":
                        words = f"no scope {needed.value}" if scopes else "key"
                        assert words in error_of(path, response)
                    assert ("WWW-Authenticate" in response.headers) is (not scopes)

    def test_what_reads_and_what_predicts_is_as_documented(self, site: Protected):
        table = {
            Scope.PREDICT: [("POST", path) for path, _ in ASKED.values()] + [("POST", "/v1/models/fake:classify")],
            Scope.READ: [
                *[
                    ("GET", path)
                    for path in ("/", "/models", "/models/fake", "/models/fake/drift", "/metrics", "/openapi.json")
                ],
                *[("GET", path) for path in ("/v1/models/fake", "/v1/models/fake/metadata")],
                *[("GET", path) for path in ("/v2", "/v2/models/fake", "/v2/models/fake/ready")],
                ("POST", "/v2/repository/index"),
            ],
            Scope.ADMIN: [("POST", f"/v2/repository/models/fake/{verb}") for verb in ("load", "unload")],
        }
        for scope, asked in table.items():
            for method, path in asked:
                for key in Scope:
                    status = site.ask(path, key.value, method).status_code
                    assert (status == 403) is (key is not scope), (path, method, key)

    @given(text=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
    def test_no_text_is_a_key_but_a_key(self, site: Protected, text):
        known = {named(scopes) for scopes in EVERY} | {"fake-only", "one-place"}
        for path, body in ASKED.values():
            if text.strip() not in known:
                assert site.ask(path, text, json=body).status_code == 401
            bearer = site.client.post(path, json=body, headers={"Authorization": f"Bearer {text}"})
            assert bearer.status_code == 401 or text in known

    def test_nothing_is_read_of_a_body_that_is_refused(self, site: Protected):
        for path, _ in ASKED.values():
            for key, status in ((None, 401), ("read", 403)):
                body = io.BytesIO(b"{}")
                assert site.ask(path, key, input_stream=body).status_code == status
                assert body.tell() == 0

    def test_pages_of_other_origins_learn_how_to_ask_and_what_was_refused(self, site: Protected):
        origin = {"Origin": "https://example.org"}
        preflight = site.client.options("/predict/fake", headers=origin)
        assert preflight.status_code == 204
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        refused = site.client.post("/predict/fake", headers=origin)
        assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")


class TestLimits:
    @pytest.mark.parametrize("dialect", ASKED)
    def test_a_key_for_some_models_asks_for_these(self, site: Protected, dialect):
        path, body = ASKED[dialect]
        assert site.ask(path, "fake-only", json=body).status_code == 200
        response = site.ask(path.replace("fake", "other"), "fake-only", json=body)
        assert response.status_code == 403
        assert "may not ask for the model 'other', only for fake" in error_of(path, response)

    def test_it_sees_no_list_of_all_models(self, site: Protected):
        shown = [("GET", path) for path in ("/", "/models", "/metrics", "/openapi.json", "/v2")]
        for method, path in [*shown, ("POST", "/v2/repository/index")]:
            response = site.ask(path, "fake-only", method)
            assert (response.status_code, "all models" in response.text) == (403, True)
        for path in ("/models/fake", "/v1/models/fake", "/v2/models/fake", "/v2/models/fake/ready"):
            assert site.ask(path, "fake-only", "GET").status_code == 200
            assert site.ask(path.replace("fake", "other"), "fake-only", "GET").status_code == 403
        assert site.ask("/v2/repository/models/other/unload", "fake-only").status_code == 403

    @pytest.mark.parametrize("dialect", ASKED)
    def test_more_requests_at_once_than_a_key_may_are_refused_until_one_is_answered(self, tmp_path, dialect):
        site = Protected(tmp_path)
        path, body = ASKED[dialect]
        inner: list[TestResponse] = []

        def ask_again(inputs: Tensors) -> dict[str, Array]:
            inner.append(site.ask(path, "one-place", json=body))
            return fakes.weighted(inputs)

        site.engine._function = ask_again
        assert site.ask(path, "one-place", json=body).status_code == 200
        [refused] = inner
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        site.engine._function = fakes.weighted
        for broken in ({"data": b"{"}, {"json": body}, {"json": body}):
            assert site.ask(path, "one-place", **broken).status_code in (200, 400)


class TestRecord:
    def test_every_change_is_on_record_and_every_try(self, tmp_path: Path):
        site = Protected(tmp_path)
        path = "/v2/repository/models/fake/load"
        for key in (None, "read", "admin"):
            site.client.post(path, headers={"X-Request-Id": "r7"} | ({"X-Api-Key": key} if key else {}))
        site.ask(path, "admin", data=b"{")
        site.ask("/models", "read", "GET")
        told = site.audited()
        assert [(one["who"], one["outcome"], one["status"]) for one in told] == [
            ("", "refused", 401),
            ("key-read", "refused", 403),
            ("key-admin", "done", 200),
            ("key-admin", "failed", 400),
        ]
        assert {one["what"] for one in told} == {f"POST {path}"}
        assert {one["address"] for one in told} == {"127.0.0.1"}
        assert told[0]["request"] == "r7"

    def test_so_is_one_whose_client_does_not_wait_for_the_answer(self, tmp_path: Path):
        def leave(_: "Future[Any]", __: float) -> NoReturn:
            raise GreenletExit

        site = Protected(tmp_path)
        client = create_app(site.settings, site.catalog, leave, site.repository, site.guard).test_client()
        with pytest.raises(GreenletExit):
            client.post("/v2/repository/models/fake/load", headers={"X-Api-Key": "admin"})
        [told] = site.audited()
        assert (told["who"], told["outcome"], told["status"]) == ("key-admin", "unknown", 499)
        assert site.repository.told == ["fake"]

    def test_requests_are_counted_by_the_names_of_their_keys(self, site: Protected):
        def counted(name: str, status: int) -> float:
            line = f'manifold_key_requests_total{{key="{name}",status="{status}"}}'
            lines = site.ask("/metrics", "read", "GET").text.splitlines()
            return float(next((text.rpartition(" ")[2] for text in lines if text.startswith(line)), 0))

        before = counted("key-predict", 200), counted("key-predict", 403), counted("", 401)
        path, body = ASKED["native"]
        site.ask(path, "predict", json=body)
        site.ask("/models", "predict", "GET")
        site.ask(path, "nobody's", json=body)
        after = counted("key-predict", 200), counted("key-predict", 403), counted("", 401)
        assert after == (before[0] + 1, before[1] + 1, before[2] + 1)
        assert "nobody's" not in site.ask("/metrics", "read", "GET").text


class TestDocument:
    def test_it_says_which_key_each_operation_needs(self, site: Protected):
        document = site.ask("/openapi.json", "read", "GET").json
        assert set(document["components"]["securitySchemes"]) == {"key", "key-header"}
        told = {
            operation["operationId"]: [next(iter(one.values())) for one in operation.get("security", [])]
            for methods in document["paths"].values()
            for operation in methods.values()
        }
        assert told["predict.fake"] == told["tfs_predict.fake"] == told["oip_infer.fake"] == [["predict"]] * 2
        assert told["models"] == told["metrics"] == told["tfs_status"] == told["oip_index"] == [["read"]] * 2
        assert told["oip_load"] == told["oip_unload"] == [["admin"]] * 2
        assert {name for name, scopes in told.items() if not scopes} == {
            "live",
            "ready",
            "docs",
            "oip_live",
            "oip_ready",
        }
        for methods in document["paths"].values():
            for operation in methods.values():
                assert ({"401", "403", "429"} <= set(operation["responses"])) is ("security" in operation)

    @pytest.mark.parametrize(
        ("name", "dialect"), [("predict.fake", "native"), ("tfs_predict.fake", "tfs"), ("oip_infer.fake", "oip")]
    )
    def test_what_is_refused_is_refused_as_it_says(self, site: Protected, name, dialect):
        promises = Promises(site.ask("/openapi.json", "read", "GET").json)
        path, body = ASKED[dialect]
        leave = site.guard.enter(site.guard.identify(None, "one-place"), Scope.PREDICT, lambda: "fake")
        for key, status in ((None, 401), ("read", 403), ("one-place", 429), ("predict", 200)):
            response = site.ask(path, key, json=body)
            assert response.status_code == status
            promises.hold(name, response)
        leave()

    def test_without_keys_it_says_nothing_of_them(self):
        hand = fakes.Hand()
        catalog = fakes.catalog([fakes.handle(fakes.FakeEngine(), hand)])
        client = create_app(Settings(), catalog, hand.wait, Recorder()).test_client()
        assert "security" not in client.get("/openapi.json").text
        for path, body in ASKED.values():
            assert client.post(path, json=body).status_code == 200
        response = client.post("/v2/repository/models/fake/load")
        assert response.status_code == 403
        assert "need MANIFOLD_KEYS" in response.json["error"]


class TestGrpc:
    """The same keys, in metadata."""

    def call(self, client: Client, method: str, key: str | None, request: Any) -> str:
        """The status, by name."""
        metadata = None if key is None else [("authorization", f"Bearer {key}")]
        error = client.start(method, request, metadata=metadata).exception()
        return "OK" if error is None else error.code().name

    def test_each_method_has_a_scope_on_purpose(self):
        assert set(grpc_guarded.SCOPES) == {name for methods in GRPC_METHODS.values() for name in methods}
        assert grpc_guarded.scope_of("Forgotten") is Scope.ADMIN

    def test_a_key_allows_what_its_scopes_say_and_no_more(self, site: Protected, client: Client):
        for method, needed in grpc_guarded.SCOPES.items():
            for scopes in EVERY:
                before = len(site.engine.calls)
                status = self.call(client, method, named(scopes) if scopes else None, b"")
                if not scopes:
                    assert status == "UNAUTHENTICATED"
                elif needed not in scopes:
                    assert status == "PERMISSION_DENIED"
                else:
                    assert status != "UNAUTHENTICATED"
                    assert (status == "PERMISSION_DENIED") is (method == "HandleReloadConfigRequest")
                assert len(site.engine.calls) == before
            for wrong in ("unknown", "ended"):
                assert self.call(client, method, wrong, b"") == "UNAUTHENTICATED"

    def test_a_key_is_for_its_models_alone(self, client: Client):
        assert self.call(client, "Predict", "fake-only", predict("fake", {"x": [[1.0]]})) == "OK"
        assert self.call(client, "Predict", "fake-only", predict("other", {"x": [[1.0]]})) == "PERMISSION_DENIED"
        asked = new("GetModelStatusRequest", model_spec=spec("other"))
        assert self.call(client, "GetModelStatus", "fake-only", asked) == "PERMISSION_DENIED"
        assert self.call(client, "GetModelStatus", "read", asked) == "OK"
        assert self.call(client, "Predict", "fake-only", b"\xff") == "INVALID_ARGUMENT"

    def test_a_place_is_given_back(self, client: Client):
        for _ in range(3):
            assert self.call(client, "Predict", "one-place", predict("fake", {"x": [[1.0]]})) == "OK"
            assert self.call(client, "Predict", "one-place", b"\xff") == "INVALID_ARGUMENT"
