"""What every answer says to browsers, and what none says: a stack trace, or where something lies on this machine."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service import security
from service.app import create_app
from service.settings import Settings
from service.versions.store import Version
from tests.service import fakes
from tests.service.calls import METHODS, predict, serving, spec
from tests.service.site import Site
from tests.service.test_guarded import ASKED, paths

SECRET = "/srv/secret-place/model"
TELLTALES = ("Traceback", "secret-place", "/srv", ".py", 'File "')
PAGES = ("/docs", "/docs/start.js", "/docs/swagger-ui.css", "/openapi.json")


class Breaking:
    """A catalog, or anything else, of which everything fails."""

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise OSError(f"[Errno 5] Input/output error: {SECRET!r}")

        return fail


@pytest.fixture(scope="module")
def broken() -> Any:
    """An app behind which everything fails."""
    app = create_app(Settings(), Breaking(), Breaking(), Breaking())
    app.logger.disabled = True
    return app


@pytest.fixture(scope="module")
def named(toy_folder: Path) -> Site:
    """A site for many names."""
    return Site(toy_folder)


def tells_nothing(response: TestResponse) -> bool:
    told = response.text + str(response.headers)
    return not any(word in told for word in TELLTALES)


def holds_headers(response: TestResponse) -> bool:
    """Whether each stands there once, with its value."""
    return all(response.headers.getlist(name) == [value] for name, value in security.DATA)


class TestHeaders:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/"),
            ("GET", "/models"),
            ("HEAD", "/models"),
            ("GET", "/healthz"),
            ("GET", "/metrics"),
            ("GET", "/nowhere"),
            ("GET", "/docs/nowhere.js"),
            ("GET", "/v1/models/fake"),
            ("POST", "/predict/nobody"),
            ("OPTIONS", "/predict/fake"),
            ("DELETE", "/models"),
        ],
    )
    def test_every_answer_has_them(self, site: Site, method, path):
        assert holds_headers(site.client.open(path, method=method))

    @pytest.mark.parametrize("dialect", ASKED)
    def test_predictions_are_kept_by_nobody(self, site: Site, dialect):
        path, body = ASKED[dialect]
        response = site.client.post(path, json=body)
        assert response.status_code == 200
        assert holds_headers(response)

    @pytest.mark.parametrize("path", PAGES)
    def test_a_page_has_a_policy_of_its_own(self, site: Site, path):
        response = site.client.get(path)
        [policy] = response.headers.getlist("Content-Security-Policy")
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in policy
        assert response.headers.getlist("X-Content-Type-Options") == ["nosniff"]
        assert response.headers.getlist("Cache-Control") == ["no-cache"]
        again = site.client.get(path, headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.headers.getlist("Content-Security-Policy")) == (304, [policy])

    def test_browsers_are_told_to_stay_with_tls_where_there_is_any(self):
        for files in ({}, {"certificate": "cert.pem", "private_key": "key.pem"}):
            hand = fakes.Hand()
            catalog = fakes.catalog([fakes.handle(fakes.FakeEngine(), hand)])
            client = create_app(Settings(**files), catalog, hand.wait).test_client()
            for path in ("/models", "/nowhere", "/docs", "/docs/start.js", "/console/models/fake"):
                told = client.get(path, headers={"Accept": "text/html"}).headers.getlist("Strict-Transport-Security")
                assert told == (["max-age=31536000"] if files else []), path


class TestNothingIsTold:
    """Errors nobody foresaw, wherever they come from."""

    def test_no_route_tells_where_it_broke(self, broken):
        client, seen = broken.test_client(), set()
        for rule in broken.url_map.iter_rules():
            for path in paths(rule):
                for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
                    response = client.open(path, method=method, json={})
                    if not path.startswith("/docs"):
                        assert tells_nothing(response), (path, response.text)
                    if response.status_code == 500:
                        seen.add(rule.endpoint)
                        assert holds_headers(response)
                        assert {"error", "detail"} & set(response.json)
        assert {"native.predict", "tfs.route", "oip.infer", "health.ready", "openapi.openapi", "index"} <= seen

    @pytest.mark.parametrize("dialect", ASKED)
    def test_no_engine_tells_where_it_broke(self, site: Site, dialect):
        def fail(_: Any) -> Any:
            raise OSError(f"cannot read {SECRET}\nTraceback (most recent call last):")

        site.engine._function = fail
        path, body = ASKED[dialect]
        response = site.client.post(path, json=body)
        assert response.status_code == 500
        assert tells_nothing(response)

    def test_no_model_tells_why_it_was_not_loaded_and_where(self):
        def load(version: Version) -> Any:
            raise OSError(f"[Errno 2] No such file: '{SECRET}/model.onnx'\nTraceback (most recent call last):")

        hand = fakes.Hand()
        catalog = fakes.catalog([fakes.handle(fakes.FakeEngine(), hand)])
        catalog._load = load
        for served in catalog.served():
            served.handle, served.state = None, type(served.state).START
        catalog.load_all()
        client = create_app(Settings(), catalog, hand.wait).test_client()
        assert "OSError" in client.get("/readyz").text
        for method, path in [
            *[("GET", path) for path in ("/readyz", "/models", "/models/fake", "/openapi.json", "/metrics")],
            *[("GET", path) for path in ("/v1/models/fake", "/v2/health/ready", "/v2/models/fake/ready")],
            *[("POST", path) for path, _ in ASKED.values()],
            ("POST", "/v2/repository/index"),
        ]:
            assert tells_nothing(client.open(path, method=method)), path

    def test_no_call_tells_where_it_broke(self):
        with serving(Settings(), Breaking(), Breaking()) as client:
            for name in METHODS:
                request = METHODS[name].input_type
                body = b"" if name in ("MultiInference", "HandleReloadConfigRequest") else asked(request.full_name)
                code, told = client.refused(name, body)
                assert code in ("INTERNAL", "UNIMPLEMENTED", "PERMISSION_DENIED", "INVALID_ARGUMENT")
                assert not any(word in told for word in TELLTALES), told


def asked(name: str) -> Any:
    from service.grpc.messages import message

    return message(name)(model_spec=spec("fake"))


class TestNames:
    """A model's name is looked up, and never becomes part of a path."""

    TRICKS = ("..", ".", "../fake", "..%2ffake", "%2e%2e%2ffake", "/etc/passwd", "fake/../../x", "fake\0", "fake%00")

    @pytest.mark.parametrize("name", TRICKS)
    def test_tricks_with_names_find_nothing(self, site: Site, name):
        for path, body in ASKED.values():
            assert site.client.post(path.replace("fake", name), json=body).status_code in (400, 404, 405)
        for path in ("/models/{}", "/v1/models/{}", "/v1/models/{}/metadata", "/v2/models/{}", "/docs/{}"):
            response = site.client.get(path.format(name))
            assert response.status_code in (400, 404, 405), path
            assert tells_nothing(response)

    @given(name=st.text(max_size=40))
    def test_no_name_leads_anywhere(self, named: Site, name):
        if name in named.catalog.models():
            return
        for path in ("/predict", "/models", "/v1/models", "/v2/models"):
            for method in ("GET", "POST"):
                response = named.client.open(f"{path}/{name}", method=method, json={})
                assert response.status_code < 500
                assert response.status_code != 200 or not name.strip("/") or name[0] in "?#", response.text

    def test_nor_over_grpc(self, site: Site):
        with serving(site.settings, site.catalog, site.hand.wait) as client:
            for name in self.TRICKS:
                code, told = client.refused("Predict", predict(name, {"x": [[1.0]]}))
                assert (code, "Servable not found" in told or "not" in told) == ("NOT_FOUND", True)
