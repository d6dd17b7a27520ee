"""The console's pages with keys and without: who sees which, when a cookie counts, and what browsers get for errors."""

import logging
import re
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service.access.guard import Guard
from service.access.keyring import Keyring
from service.access.keys import Scope
from service.app import create_app
from service.console.page import ConsolePage
from service.console.signing import HERE
from service.dialects.signed_in import COOKIE, PREFIX
from service.settings import Settings
from service.tensors import Array, Tensors
from service.versions.catalog import Catalog
from service.versions.policy import Canary, Policy
from service.versions.store import Version
from tests.service import fakes
from tests.service.keys import entry, put
from tests.service.test_guarded import Recorder
from tests.service.test_security import Breaking, tells_nothing

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
OURS = {"Sec-Fetch-Site": "same-origin"}
ROW = {"x": [1.0]}
PAGE = "/console/models/fake"
PLACES = ["//evil.example", "/\\evil", "https://evil", "/console/../x", "/console/%2e%2e/x", "/console/enter?next=/"]
READ, PREDICT = Scope.READ, Scope.PREDICT


class Console:
    """The models fake (versions 2 and 1) and other behind keys, and a browser that keeps cookies."""

    def __init__(self, folder: Path) -> None:
        self.hand = fakes.Hand()
        self.engine = fakes.FakeEngine()
        handles = [fakes.handle(self.engine, self.hand, version=number) for number in (2, 1)]
        handles.append(fakes.handle(self.engine, self.hand, name="other"))
        self.file = folder / "keys.json"
        self.entries = [
            entry("all", "all", *Scope),
            entry("people", "people", READ, PREDICT),
            entry("reader", "reader", READ),
            entry("asker", "asker", PREDICT),
            entry("ended", "ended", *Scope, expires="2001-01-01"),
            entry("some", "some", READ, PREDICT, models=["fake"]),
            entry("none", "none", READ, PREDICT, models=["gone"]),
            entry("narrow", "narrow", READ, PREDICT, concurrency=1),
        ]
        put(self.file, self.entries)
        self.repository = Recorder()
        self.now = 0.0
        guard = Guard(Keyring(self.file, lambda: self.now), folder / "places")
        settings = Settings(keys=str(self.file), cors_origins="*")
        catalog = fakes.catalog(handles)
        self.app = create_app(settings, catalog, self.hand.wait, self.repository, guard)  # type: ignore[arg-type]
        self.client = self.app.test_client()

    def enter(self, key: str, client: FlaskClient | None = None, **headers: str) -> TestResponse:
        client = client or self.client
        return client.post("/console/enter", data={"key": key, "next": PAGE}, headers=BROWSER | OURS | dashed(headers))

    def inside(self, key: str) -> FlaskClient:
        """A browser that has signed in."""
        client = self.app.test_client()
        assert self.enter(key, client).status_code == 303
        return client


def dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def asks_for_key(response: TestResponse) -> bool:
    """Whether it is the page to sign in."""
    return response.status_code == 401 and response.mimetype == "text/html" and 'name="key"' in response.text


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Console:
    return Console(tmp_path_factory.mktemp("keys"))


class TestSigningIn:
    @pytest.mark.parametrize("path", ["/", PAGE, f"{PAGE}?version=1", f"{PAGE}/why", f"{PAGE}/report/a%20b%C3%A9.png"])
    def test_a_page_that_needs_a_key_asks_for_it_in_its_own_place(self, console: Console, path):
        response = console.app.test_client().get(path, headers=BROWSER)
        assert asks_for_key(response)
        assert f'value="{path}"' in response.text
        assert "WWW-Authenticate" in response.headers

    def test_a_right_key_leads_to_the_page_that_wanted_it(self, console: Console):
        client = console.app.test_client()
        response = console.enter(" people\n", client)
        assert (response.status_code, response.headers["Location"]) == (303, f"..{PAGE}")
        page = client.get(PAGE, headers=BROWSER | OURS)
        assert page.status_code == 200
        assert "Sign out" in page.text

    def test_the_cookie_is_for_this_server_until_the_browser_is_closed_and_for_no_script(self, console: Console):
        [cookie] = console.enter("people").headers.getlist("Set-Cookie")
        parts = set(cookie.split("; "))
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= parts
        assert not any(part.startswith(("Expires", "Max-Age", "Domain", "Secure")) for part in parts)
        with_tls = console.client.post("/console/enter", data={"key": "people"}, base_url="https://localhost")
        assert with_tls.status_code == 403  # no page of ours has asked
        [cookie] = console.client.post(
            "/console/enter", data={"key": "people"}, headers=OURS, base_url="https://localhost"
        ).headers.getlist("Set-Cookie")
        assert cookie.startswith(f"{PREFIX}{COOKIE}=")
        assert "Secure" in cookie.split("; ")

    def test_over_tls_a_cookie_that_a_neighbour_can_set_is_none(self, console: Console):
        for name, status in ((COOKIE, 401), (PREFIX + COOKIE, 200)):
            client = console.app.test_client()
            client.set_cookie(name, "people")
            assert client.get("/models", headers=OURS, base_url="https://localhost").status_code == status

    @pytest.mark.parametrize("key", ["", " ", "unknown", "ended", "péople", "x" * 10_000])
    def test_a_wrong_key_is_told_and_kept_nowhere(self, console: Console, key):
        client = console.app.test_client()
        response = console.enter(key, client)
        assert asks_for_key(response)
        assert 'role="alert"' in response.text
        assert "Set-Cookie" not in response.headers
        assert key.strip() == "" or f'value="{key}"' not in response.text

    @given(wanted=st.text(max_size=30) | st.sampled_from(PLACES) | st.from_regex(r"/console[/.%a2eE\\-]{,12}"))
    def test_one_is_sent_on_to_our_own_pages_only(self, console: Console, wanted):
        data = {"key": "people", "next": wanted}
        client = console.app.test_client()
        place = client.post("/console/enter", data=data, headers=OURS).headers["Location"]
        assert place == "../" or (place == f"..{wanted}" and wanted.startswith(("/console/", "/?")))
        dotted = re.sub("%2e", ".", place, flags=re.IGNORECASE)  # as browsers read it
        path = urlsplit(urljoin("http://localhost/here/console/enter", dotted)).path
        assert path == "/here/" or path.startswith("/here/console/")
        assert not place.startswith("../console/enter")

    @pytest.mark.parametrize(
        "page", ["/", "/?a=b", "/console/live", PAGE, f"{PAGE}/compare?version=2&with=1", "/console/a.b-c_1/d%20e"]
    )
    def test_and_to_each_of_them(self, page):
        assert HERE.fullmatch(page)

    def test_signing_out_forgets_it(self, console: Console):
        client = console.inside("people")
        response = client.post("/console/leave", headers=BROWSER | OURS)
        assert (response.status_code, response.headers["Location"]) == (303, "../")
        assert asks_for_key(client.get("/", headers=BROWSER | OURS))

    @pytest.mark.parametrize("path", ["/console/enter", "/console/leave"])
    def test_no_other_page_signs_anybody_in_or_out(self, console: Console, path):
        client = console.inside("people")
        for strange in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {},
        ):
            response = client.post(path, data={"key": "all"}, headers=strange)
            assert response.status_code == 403
            assert "Set-Cookie" not in response.headers

    def test_another_key_can_be_tried_and_leads_back(self, console: Console):
        client = console.inside("some")
        refused = client.get("/console/models/other/compare?version=2&with=1", headers=BROWSER | OURS)
        [wanted] = re.findall(r"/console/enter(\?next=[^\"]*)", refused.text)
        page = client.get(f"/console/enter{wanted}", headers=BROWSER)
        assert page.status_code == 200
        assert 'value="/console/models/other/compare?version=2&amp;with=1"' in page.text

    def test_a_key_that_is_taken_away_ends_it_at_once(self, tmp_path: Path):
        console = Console(tmp_path)
        client = console.inside("people")
        put(console.file, [one for one in console.entries if one["name"] != "people"])
        console.now += 2
        page = client.get(PAGE, headers=BROWSER | OURS)
        assert asks_for_key(page)
        assert "no longer signed in" in page.text
        assert client.post("/predict/fake", json=ROW, headers=OURS).status_code == 401

    def test_no_page_has_a_key_in_it(self, console: Console):
        client = console.inside("people")
        for path in ("/", PAGE, "/console/models/none", "/console/enter"):
            page = client.get(path, headers=BROWSER | OURS).text
            assert "people" not in page.replace("Signed in as <b>people</b>", "").replace("Your key people", "")


SITES = (None, "same-origin", "none", "same-site", "cross-site", "")
HEADER = st.text(st.characters(min_codepoint=33, max_codepoint=126))
ORIGINS = (None, "http://localhost", "http://localhost:81", "https://evil.example", "null", "")


class TestWhenTheCookieCounts:
    @pytest.mark.parametrize(("site", "origin"), list(product(SITES, ORIGINS)))
    def test_only_for_what_our_own_pages_ask(self, console: Console, site, origin):
        """Without either header nobody but a link or an old browser asks, and then only reads."""
        client = console.inside("people")
        headers = {name: value for name, value in (("Sec-Fetch-Site", site), ("Origin", origin)) if value is not None}
        ours = site in ("same-origin", "none") if site is not None else origin in (None, "http://localhost")
        assert (client.get("/models", headers=headers).status_code == 200) is ours
        asks = ours and (site, origin) != (None, None)
        assert (client.post("/predict/fake", json=ROW, headers=headers).status_code == 200) is asks

    @given(site=st.none() | HEADER, origin=st.none() | HEADER)
    def test_no_made_up_header_makes_it_count(self, console: Console, site, origin):
        headers = {name: value for name, value in (("Sec-Fetch-Site", site), ("Origin", origin)) if value is not None}
        client = console.app.test_client()
        client.set_cookie(COOKIE, "people")
        known = site in ("same-origin", "none") or (site is None and (origin or "").endswith("://localhost"))
        assert (client.post("/predict/fake", json=ROW, headers=headers).status_code == 200) is known

    def test_never_for_changes(self, console: Console):
        client = console.inside("all")
        for verb in ("load", "unload"):
            path = f"/v2/repository/models/fake/{verb}"
            assert client.post(path, headers=OURS).status_code == 401
            assert console.repository.told == []
        assert client.post("/v2/repository/models/fake/load", headers=OURS | {"X-Api-Key": "all"}).status_code == 200
        console.repository.told.clear()

    @pytest.mark.parametrize(
        "header", [{"X-Api-Key": "unknown"}, {"Authorization": "Bearer unknown"}, {"X-Api-Key": ""}]
    )
    def test_a_key_in_a_header_wins(self, console: Console, header):
        client = console.inside("people")
        assert client.get("/models", headers=OURS | header).status_code == 401
        page = client.get(PAGE, headers=BROWSER | OURS | {"Authorization": "Bearer reader"})
        assert (page.status_code, "Sign out" in page.text) == (200, False)
        assert client.post("/predict/fake", json=ROW, headers=OURS | {"X-Api-Key": "reader"}).status_code == 403

    def test_what_a_proxy_adds_for_itself_does_not(self, console: Console):
        basic = {"Authorization": "Basic cHJveHk6cHJveHk="}
        assert console.inside("people").get("/models", headers=OURS | basic).status_code == 200

    def test_nothing_looks_at_cookies_where_there_is_no_console(self, tmp_path: Path):
        guard = Guard(Keyring(Console(tmp_path).file), tmp_path / "places")
        settings = Settings(console="off", keys=str(tmp_path / "keys.json"))
        hand = fakes.Hand()
        catalog = fakes.catalog([fakes.handle(fakes.FakeEngine(), hand)])
        client = create_app(settings, catalog, hand.wait, None, guard).test_client()
        client.set_cookie(COOKIE, "people")
        assert client.get("/models", headers=OURS).status_code == 401
        assert client.get("/", headers=BROWSER | {"X-Api-Key": "some"}).status_code == 403
        assert client.post("/console/enter", data={"key": "people"}, headers=OURS).status_code == 404

    def test_other_origins_never_read_with_it(self, console: Console):
        client = console.inside("people")
        response = client.get("/models", headers=OURS | {"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Credentials" not in response.headers
        for method in ("OPTIONS", "GET"):
            response = client.open("/console/enter", method=method, headers={"Origin": "https://evil.example"})
            assert "Access-Control-Allow-Credentials" not in response.headers

    def test_places_are_taken_as_with_headers(self, tmp_path: Path):
        console = Console(tmp_path)
        client = console.inside("narrow")
        inner: list[int] = []

        def ask_again(inputs: Tensors) -> dict[str, Array]:
            inner.append(console.inside("narrow").post("/predict/fake", json=ROW, headers=OURS).status_code)
            return fakes.weighted(inputs)

        console.engine._function = ask_again
        assert client.post("/predict/fake", json=ROW, headers=OURS).status_code == 200
        assert inner == [429]


class TestWhatAKeySees:
    def test_one_for_some_models_sees_these(self, console: Console):
        client = console.inside("some")
        home = client.get("/", headers=BROWSER | OURS)
        assert home.status_code == 200
        assert PAGE in home.text
        assert "other" not in home.text
        assert client.get(PAGE, headers=BROWSER | OURS).status_code == 200
        assert client.get("/", headers=OURS).status_code == 403  # which would list all to a program
        refused = client.get("/console/models/other", headers=BROWSER | OURS)
        assert (refused.status_code, refused.mimetype) == (403, "text/html")
        assert "Sign in with another key" in refused.text
        for path in ("/console/live", "/console/live/samples", "/console/live/events", "/console/models/other/report"):
            assert client.get(path, headers=BROWSER | OURS).status_code == 403, path

    def test_one_for_models_that_are_not_served_is_told_so(self, console: Console):
        assert "Your key is for gone" in console.inside("none").get("/", headers=BROWSER | OURS).text

    def test_one_that_may_not_read_is_told_so(self, console: Console):
        for path in ("/", PAGE):
            page = console.inside("asker").get(path, headers=BROWSER | OURS)
            assert (page.status_code, page.mimetype) == (403, "text/html")
            assert "no scope read" in page.text
            assert "Sign out" in page.text

    def test_one_that_may_not_predict_is_told_so(self, console: Console):
        client = console.inside("reader")
        assert "needs one with the scope predict" in client.get(PAGE, headers=BROWSER | OURS).text
        assert "needs one with" not in console.inside("people").get(PAGE, headers=BROWSER | OURS).text
        assert client.post("/predict/fake", json=ROW, headers=OURS).status_code == 403

    def test_nobody_keeps_a_page(self, console: Console):
        client = console.inside("people")
        for path in ("/", PAGE, "/console/enter", "/console/nowhere", "/console/models/nobody"):
            for browser in (client, console.app.test_client()):
                response = browser.get(path, headers=BROWSER | OURS)
                assert response.headers.getlist("Cache-Control") == ["no-store"], path
                assert response.headers.getlist("X-Content-Type-Options") == ["nosniff"]


@pytest.fixture
def opened() -> tuple[Catalog, FlaskClient]:
    """Fake (versions 2 and 1, with a policy) and one that is refused, one that waits, without keys."""
    logging.getLogger("manifold.catalog").setLevel(logging.CRITICAL)
    hand = fakes.Hand()
    handles = [fakes.handle(fakes.FakeEngine(), hand, version=number) for number in (2, 1)]
    policy = Policy(labels={"stable": 1}, canary=Canary(2, 12.5))
    catalog = fakes.catalog(handles, {"fake": policy})
    why = "OSError: no /srv/secret-place/model.onnx\nTraceback"
    catalog.swap("broken", [], refused={Version("broken", 3, Path()): why})
    catalog.expect([Version("coming", 1, Path())])
    return catalog, create_app(Settings(), catalog, hand.wait).test_client()


class TestModels:
    def test_all_are_shown_as_they_stand(self, opened):
        _, client = opened
        page = client.get("/", headers=BROWSER).text
        assert "Version 2: ready" in page
        assert "canary: 12.5 % of requests" in page
        assert "stable" in page
        assert "Version 3: refused" in page
        assert "OSError: no model.onnx" in page
        assert "Version 1: waiting to be loaded" in page
        assert not any(word in page for word in ("secret-place", "Traceback"))

    def test_an_engine_that_has_gone_is_no_ready_version(self, opened):
        catalog, client = opened
        catalog.get("fake", 2).batcher.hung = "a call hangs in /srv/secret-place/x.so"
        page = client.get("/", headers=BROWSER).text
        assert "Version 2: not answering" in page
        assert "a call hangs in x.so" in page

    def test_an_empty_service_says_what_to_do(self):
        hand = fakes.Hand()
        client = create_app(Settings(), fakes.catalog([]), hand.wait).test_client()
        assert "make models" in client.get("/", headers=BROWSER).text

    @pytest.mark.parametrize("path", ["/", PAGE, f"{PAGE}?version=9", "/console/live", "/console/nowhere/at/all"])
    def test_links_lead_there_wherever_a_proxy_has_put_the_server(self, opened, path):
        _, client = opened
        page = client.get(path, headers=BROWSER).text
        links = re.findall(r'(?:href|src|action|data-root)="([^"#]*)"', page)
        there = {urlsplit(urljoin(f"http://host/here{path}", link)).path for link in links}
        assert {"/here/", "/here/console/live", "/here/docs", "/here/console/assets/styles/console.css"} <= there
        assert all(place == "/here" or place.startswith("/here/") for place in there)

    @pytest.mark.parametrize(
        "accept", [None, "*/*", "application/json", "application/json, text/plain, */*", "text/*;q=0", ","]
    )
    def test_programs_get_data(self, opened, accept):
        _, client = opened
        response = client.get("/", headers={} if accept is None else {"Accept": accept})
        assert response.json["service"] == "manifold"
        assert "Accept" in response.vary

    def test_head_is_as_get(self, opened):
        _, client = opened
        for headers, kind in ((BROWSER, "text/html"), ({}, "application/json")):
            response = client.head("/", headers=headers)
            assert (response.status_code, response.mimetype, response.data) == (200, kind, b"")

    @given(accept=st.text(st.characters(min_codepoint=32, max_codepoint=255)))
    def test_no_accept_header_breaks_it(self, console: Console, accept):
        assert console.client.get("/", headers={"Accept": accept, "X-Api-Key": "people"}).status_code == 200


ERRORS = [
    ("/console/models/nobody", 404),
    ("/console/models/fake?version=9", 404),
    ("/console/models/fake?version=x", 422),
    ("/console/models/fake?color=red", 422),
    ("/console/models/broken", 503),
    ("/console/models/coming", 503),
    ("/console/models/fake/nothing", 404),
    ("/console/nowhere", 404),
    ("/console/assets/../facts.py", 404),
    ("/console/models/%3Cscript%3E", 404),
]


class TestErrors:
    @pytest.mark.parametrize(("path", "status"), ERRORS)
    def test_browsers_get_a_page_and_programs_the_problem(self, opened, path, status):
        _, client = opened
        page = client.get(path, headers=BROWSER)
        assert (page.status_code, page.mimetype) == (status, "text/html")
        assert page.headers.getlist("Content-Security-Policy") == [ConsolePage.POLICY]
        assert "All models" in page.text
        assert "<script>" not in page.text
        assert tells_nothing(page)
        problem = client.get(path)
        assert (problem.status_code, problem.mimetype) == (status, "application/problem+json")
        assert "Accept" in page.vary
        assert "Accept" in problem.vary

    def test_one_that_waits_or_was_refused_says_why_and_opens_by_itself(self, opened):
        _, client = opened
        refused = client.get("/console/models/broken", headers=BROWSER)
        assert "OSError: no model.onnx" in refused.text
        coming = client.get("/console/models/coming", headers=BROWSER)
        assert "waiting to be loaded" in coming.text
        assert coming.headers["Retry-After"] == "1"
        for page in (refused, coming):
            assert "wait.js" in page.text

    def test_a_version_that_is_not_there_leads_to_the_one_that_is(self, opened):
        _, client = opened
        assert f'href="../..{PAGE}"' in client.get(f"{PAGE}?version=9", headers=BROWSER).text

    def test_another_method_is_refused_in_words(self, opened):
        _, client = opened
        page = client.post(PAGE, headers=BROWSER)
        assert (page.status_code, page.mimetype) == (405, "text/html")
        assert "GET" in page.headers["Allow"]

    def test_what_nobody_foresaw_tells_nothing(self):
        broken: Any = Breaking()
        app = create_app(Settings(), broken, broken, broken)
        app.logger.disabled = True
        for path in ("/", PAGE):
            page = app.test_client().get(path, headers=BROWSER)
            assert (page.status_code, page.mimetype) == (500, "text/html")
            assert tells_nothing(page)


def test_without_a_console_there_are_no_pages(opened):
    catalog, _ = opened
    client = create_app(Settings(console="off"), catalog, fakes.Hand().wait).test_client()
    assert client.get("/", headers=BROWSER).json["service"] == "manifold"
    for path in (PAGE, "/console/assets/styles/console.css", "/console/nowhere", "/console/enter"):
        response = client.get(path, headers=BROWSER)
        assert (response.status_code, response.mimetype) == (404, "application/problem+json")


def test_without_keys_nobody_signs_in(opened):
    _, client = opened
    assert client.post("/console/enter", data={"key": "x"}, headers=OURS).status_code == 404
    assert "Set-Cookie" not in client.get("/", headers=BROWSER).headers
