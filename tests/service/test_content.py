"""What bodies and answers are wrapped in, in every dialect: codings both ways, and other origins' pages."""

import gzip
import json
import zlib

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from service.app import create_app
from service.dialects.bodies.coding import INFLATERS
from service.dialects.bodies.compression import LEAST_BYTES, choose, packed_once
from service.settings import BadSettings, Settings, read
from tests.service import fakes
from tests.service.site import MAX_BODY_BYTES, MAX_QUEUE_ROWS, Site
from tests.service.test_dialects import Native, Oip, Tfs

PACK = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}
UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress, "zstd": zstd.decompress}

in_every_dialect = pytest.mark.parametrize("dialect", [Native, Tfs, Oip], ids=["native", "tfs", "oip"])
in_every_coding = pytest.mark.parametrize("coding", PACK)


def post(site: Site, dialect, body: bytes, coding: str):
    return site.client.post(dialect.url("fake"), data=body, headers={"Content-Encoding": coding})


def plain(dialect, *rows: list[float]) -> bytes:
    return json.dumps(dialect.body(list(rows))).encode()


@in_every_dialect
class TestBodies:
    @in_every_coding
    def test_a_compressed_body_is_answered_as_it_is_plain(self, site: Site, dialect, coding):
        body = plain(dialect, [1, 2])
        assert dialect.answers(post(site, dialect, PACK[coding](body), coding)) == [[5.0]]

    def test_two_codings_are_undone_one_by_one(self, site: Site, dialect):
        body = zstd.compress(gzip.compress(plain(dialect, [1, 2])))
        assert dialect.answers(post(site, dialect, body, "gzip, zstd")) == [[5.0]]

    @in_every_coding
    def test_a_bomb_is_too_large(self, site: Site, dialect, coding):
        response = post(site, dialect, PACK[coding](plain(dialect, [1]).ljust(100 * MAX_BODY_BYTES)), coding)
        assert response.status_code == 413
        assert f"the body inflates to more than {MAX_BODY_BYTES} bytes" in dialect.message(response)

    @in_every_coding
    def test_a_body_just_small_enough_is_read(self, site: Site, dialect, coding):
        assert post(site, dialect, PACK[coding](plain(dialect, [1]).ljust(MAX_BODY_BYTES)), coding).status_code == 200

    @in_every_coding
    def test_what_is_not_in_its_coding_is_malformed(self, site: Site, dialect, coding):
        response = post(site, dialect, plain(dialect, [1]), coding)
        assert response.status_code == 400
        assert f"the body is not {coding}" in dialect.message(response)

    def test_an_unknown_coding_is_refused_with_those_that_are_read(self, site: Site, dialect):
        response = post(site, dialect, plain(dialect, [1]), "br")
        assert response.status_code == 415
        assert response.headers["Accept-Encoding"].split(", ") == list(INFLATERS)
        assert "the content coding 'br' is not read here" in dialect.message(response)

    def test_nothing_compressed_is_nothing(self, site: Site, dialect):
        assert post(site, dialect, b"", "gzip").status_code == 400


@in_every_dialect
class TestAnswers:
    ROWS = tuple([number / 7, 0.5] for number in range(MAX_QUEUE_ROWS))

    def ask(self, site: Site, dialect, accepted: str | None, *rows: list[float]):
        headers = {} if accepted is None else {"Accept-Encoding": accepted}
        return site.client.post(dialect.url("fake"), data=plain(dialect, *rows), headers=headers)

    @in_every_coding
    def test_a_long_answer_comes_in_the_coding_asked_for(self, site: Site, dialect, coding):
        expected = self.ask(site, dialect, None, *self.ROWS)
        response = self.ask(site, dialect, coding, *self.ROWS)
        assert response.headers["Content-Encoding"] == coding
        assert "Accept-Encoding" in response.vary
        assert response.content_length == len(response.data) < len(expected.data)
        assert UNPACK[coding](response.data) == expected.data

    def test_a_short_answer_stays_as_it_is(self, site: Site, dialect):
        response = self.ask(site, dialect, "gzip, zstd", [1.0, 2.0])
        assert "Content-Encoding" not in response.headers
        assert dialect.answers(response) == [[5.0]]

    @pytest.mark.parametrize("accepted", [None, "", "br", "identity", "gzip;q=0", "zstd;q=0.0, identity", "*;q=0"])
    def test_who_does_not_ask_gets_it_plain(self, site: Site, dialect, accepted):
        response = self.ask(site, dialect, accepted, *self.ROWS)
        assert "Content-Encoding" not in response.headers
        assert len(dialect.answers(response)) == len(self.ROWS)


class TestOtherAnswers:
    def test_errors_are_compressed_as_well(self, site: Site):
        plainly = site.predict("toy", [{}] * 10)
        response = site.predict("toy", [{}] * 10, Accept_Encoding="gzip")
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.status_code == 422
        assert response.mimetype == "application/problem+json"
        assert json.loads(gzip.decompress(response.data)) == plainly.json

    @pytest.mark.parametrize("path", ["/models/toy", "/metrics", "/v1/models/toy/metadata"])
    def test_what_may_be_cached_varies_whether_compressed_or_not(self, site: Site, path):
        plainly = site.client.get(path)
        packed = site.client.get(path, headers={"Accept-Encoding": "deflate"})
        assert "Accept-Encoding" in plainly.vary
        assert "Accept-Encoding" in packed.vary
        assert "Content-Encoding" not in plainly.headers
        assert packed.headers["Content-Encoding"] == "deflate"
        assert zlib.decompress(packed.data)[:20] == plainly.data[:20]

    def test_a_head_says_what_a_get_would(self, site: Site):
        headers = {"Accept-Encoding": "gzip"}
        got, asked = (site.client.open("/models/toy", method=method, headers=headers) for method in ("GET", "HEAD"))
        assert asked.data == b""
        for name in ("Content-Length", "Content-Encoding", "Content-Type", "Vary"):
            assert asked.headers[name] == got.headers[name]

    def test_tensors_in_bytes_stay_as_they_are(self, site: Site):
        rows = [[float(number)] for number in range(32)]
        body = Oip.body(rows) | {"parameters": {"binary_data_output": True}}
        response = site.client.post(Oip.url("fake"), json=body, headers={"Accept-Encoding": "gzip"})
        assert response.mimetype == "application/octet-stream"
        assert "Content-Encoding" not in response.headers

    def test_a_tag_says_that_other_bytes_mean_the_same(self, site: Site):
        def tagged():
            return site.app.response_class("x" * LEAST_BYTES, mimetype="text/plain", headers={"ETag": '"v1"'})

        site.app.add_url_rule("/tagged", view_func=tagged)
        assert site.client.get("/tagged").get_etag() == ("v1", False)
        assert site.client.get("/tagged", headers={"Accept-Encoding": "gzip"}).get_etag() == ("v1", True)

    def test_a_client_that_has_the_answer_compressed_is_told_that_it_has_it(self, site: Site):
        headers = {"Accept-Encoding": "gzip"}
        tag = site.client.get("/openapi.json", headers=headers).headers["ETag"]
        again = site.client.get("/openapi.json", headers=headers | {"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")

    def test_what_lasts_is_compressed_once_and_nothing_else_is_kept(self, site: Site):
        def ask(path: str) -> bytes:
            return gzip.decompress(site.client.get(path, headers={"Accept-Encoding": "gzip"}).data)

        first = ask("/openapi.json"), ask("/models/toy")
        known = packed_once.cache_info()
        assert (ask("/openapi.json"), ask("/models/toy")) == first
        assert packed_once.cache_info()[:2] == (known.hits + 1, known.misses)

    def test_what_would_grow_stays_as_it_is(self, site: Site):
        noise = b"".join(zlib.crc32(str(number).encode()).to_bytes(4, "big") for number in range(200))
        site.app.add_url_rule("/noise", view_func=lambda: site.app.response_class(noise, mimetype="text/plain"))
        response = site.client.get("/noise", headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in response.headers
        assert response.data == noise


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("deflate, gzip;q=0.9", "deflate"),
        ("*", "zstd"),
        ("gzip;q=0.5, *;q=0.1", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("GZIP", "gzip"),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("identity;q=0", None),
        ("compress, br", None),
    ],
)
def test_the_coding_liked_best_is_chosen(accepted, coding):
    assert choose(accepted) == coding


@given(accepted=st.text(max_size=40))
def test_any_header_is_understood_somehow(accepted):
    assert choose(accepted) in {None, *PACK}


PAGE = "https://page.example"


def open_to(origins: str, hand: fakes.Hand | None = None):
    hand = hand or fakes.Hand()
    settings = Settings(cors_origins=origins)
    return create_app(settings, fakes.catalog([fakes.handle(fakes.FakeEngine(), hand)]), hand.wait).test_client()


ALLOW = "Access-Control-Allow-Origin"


class TestOtherOrigins:
    """https://fetch.spec.whatwg.org/#http-cors-protocol."""

    @in_every_dialect
    @pytest.mark.parametrize("model", ["fake", "nobody"])
    def test_by_default_no_page_may_read_an_answer(self, site: Site, dialect, model):
        response = site.client.post(dialect.url(model), json=dialect.body([[1]]), headers={"Origin": PAGE})
        assert not [name for name in dict(response.headers) if name.startswith("Access-Control")]
        assert "Origin" not in response.vary

    @in_every_dialect
    def test_by_default_no_preflight_is_answered(self, site: Site, dialect):
        headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
        response = site.client.options(dialect.url("fake"), headers=headers)
        assert not [name for name in dict(response.headers) if name.startswith("Access-Control")]

    @in_every_dialect
    @pytest.mark.parametrize("model", ["fake", "nobody"])
    def test_a_named_origin_may_read_answers_and_errors(self, dialect, model):
        client = open_to(f"https://other.example, {PAGE}")
        response = client.post(dialect.url(model), json=dialect.body([[1]]), headers={"Origin": PAGE})
        assert response.headers[ALLOW] == PAGE
        assert response.headers["Access-Control-Expose-Headers"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "Origin" in response.vary

    @in_every_dialect
    def test_a_named_origin_may_ask_what_it_may_ask(self, dialect):
        headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"}
        response = open_to(PAGE).options(dialect.url("fake"), headers=headers)
        assert response.status_code == 204
        assert response.headers[ALLOW] == PAGE
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Headers"] == "*, Authorization"

    @in_every_dialect
    @pytest.mark.parametrize(
        "origin", ["https://other.example", "http://page.example", f"{PAGE}:444", f"{PAGE}.evil.example", "null", ""]
    )
    def test_another_origin_is_told_nothing(self, dialect, origin):
        client = open_to(PAGE)
        response = client.post(dialect.url("fake"), json=dialect.body([[1]]), headers={"Origin": origin})
        assert response.status_code == 200
        assert ALLOW not in response.headers
        assert "Origin" in response.vary
        preflight = client.options(dialect.url("fake"), headers={"Origin": origin})
        assert ALLOW not in preflight.headers

    @pytest.mark.parametrize(
        "origins", ["page.example", f"{PAGE}/", f"{PAGE}, ftp://page.example", "https://*.example"]
    )
    def test_what_is_no_origin_stops_the_service_at_its_start(self, origins):
        with pytest.raises(BadSettings, match="is no origin such as https"):
            read({"MANIFOLD_CORS_ORIGINS": origins})

    def test_an_origin_may_be_written_in_capitals(self):
        response = open_to(PAGE.upper()).get("/models", headers={"Origin": PAGE})
        assert response.headers[ALLOW] == PAGE

    def test_any_origin_is_answered_alike(self):
        client = open_to("*")
        for origin in (PAGE, "http://localhost:3000"):
            response = client.get("/models", headers={"Origin": origin})
            assert response.headers[ALLOW] == "*"
            assert "Origin" not in response.vary

    @pytest.mark.parametrize("origin", [None, "null", "file://", "chrome-extension://x"])
    def test_tensorflow_servings_options_want_an_origin_over_http(self, origin):
        headers = {} if origin is None else {"Origin": origin}
        response = open_to("*").options("/v1/models/fake:predict", headers=headers)
        assert response.status_code == 400
        assert response.json == {"error": "Malformed request: OPTIONS /v1/models/fake:predict"}
