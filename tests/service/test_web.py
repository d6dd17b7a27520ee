"""The app answers as Flask itself does, whatever is asked of it: only what it leaves out is missing."""

from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, g, request, url_for
from werkzeug.test import TestResponse

from service.web import App


def site(kind: type[Flask]) -> Any:
    """A client of an app with a bit of everything."""
    app = kind(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 100
    hooks(app)
    views(app)
    app.register_blueprint(part())
    return app.test_client()


def hooks(app: Flask) -> None:
    @app.before_request
    def early() -> Response | None:
        g.seen = ["early"]
        return Response("stop", 403) if request.path == "/stop" else None

    @app.after_request
    def late(response: Response) -> Response:
        response.headers["X-Seen"] = ",".join([*g.seen, "late"])
        return response

    @app.after_request
    def earlier(response: Response) -> Response:
        g.seen.append("after")
        return response

    @app.errorhandler(405)
    def wrong(_: Any) -> Response:
        return Response("wrong method", 405)


def views(app: Flask) -> None:
    @app.route("/", methods=["GET", "POST"])
    def index() -> Response:
        return Response(request.get_data() or b"index", mimetype="text/plain")

    @app.get("/words/<word>/<int:number>")
    def words(word: str, number: int) -> dict[str, Any]:
        return {"word": word, "number": number, "here": url_for("words", word=word, number=number)}

    @app.get("/stream")
    def stream() -> Response:
        return Response(part for part in ["a", "b"])

    @app.get("/empty")
    def empty() -> Response:
        return Response(status=204)

    @app.get("/moved")
    def moved() -> Response:
        return Response(status=302, headers={"Location": "/words/é/1"})

    @app.get("/folder/")
    def folder() -> str:
        return "folder"

    @app.get("/gone")
    def gone() -> str:
        abort(410)

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("broken")


def part() -> Blueprint:
    part = Blueprint("part", __name__, url_prefix="/part")

    class Known(Exception):
        pass

    @part.get("/known")
    def known() -> str:
        raise Known("known")

    @part.errorhandler(Known)
    def told(error: Known) -> tuple[str, int]:
        return str(error), 418

    return part


ASKED = [
    ("GET", "/", {}),
    ("HEAD", "/", {}),
    ("POST", "/", {"data": b"x" * 50}),
    ("POST", "/", {"data": b"x" * 101}),
    ("OPTIONS", "/", {}),
    ("DELETE", "/", {}),
    ("GET", "/words/caf%C3%A9/7?x=1", {}),
    ("GET", "/words/a/b", {}),
    ("GET", "/stream", {}),
    ("GET", "/empty", {}),
    ("GET", "/moved", {}),
    ("GET", "/folder", {}),
    ("GET", "/folder/", {}),
    ("GET", "/gone", {}),
    ("GET", "/broken", {}),
    ("GET", "/part/known", {}),
    ("GET", "/stop", {}),
    ("GET", "//", {}),
    ("GET", "/nowhere", {"headers": {"Host": "example.org"}}),
]


def shape(response: TestResponse) -> tuple[Any, ...]:
    return response.status, sorted(response.headers), response.data


@pytest.mark.parametrize(("method", "path", "more"), ASKED, ids=lambda value: str(value)[:30])
def test_it_answers_as_flask_does(method, path, more):
    ours, theirs = site(App), site(Flask)
    expected = shape(theirs.open(path, method=method, **more))
    for _ in range(2):  # the second time the route is remembered
        assert shape(ours.open(path, method=method, **more)) == expected


def test_what_one_request_keeps_no_other_sees():
    app = App(__name__)

    @app.get("/<name>")
    def keep(name: str) -> dict[str, Any]:
        found = dict(g.__dict__)
        g.name = name
        return {"found": found, "name": name, "args": dict(request.args)}

    client = app.test_client()
    assert client.get("/a?x=1").json == {"found": {}, "name": "a", "args": {"x": "1"}}
    assert client.get("/b").json == {"found": {}, "name": "b", "args": {}}


def test_a_hook_at_the_end_hears_of_every_request_and_its_error():
    app = App(__name__)
    heard: list[str] = []
    app.teardown_request(lambda error: heard.append(type(error).__name__))

    @app.get("/fine")
    def fine() -> str:
        return "fine"

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError

    client = app.test_client()
    client.get("/fine")
    client.get("/broken")
    assert heard == ["NoneType", "RuntimeError"]


def test_a_path_makes_no_lines_of_its_own_in_the_log(caplog):
    app = App(__name__, static_folder=None)

    @app.get("/<rest>")
    def broken(rest: str) -> Response:
        raise LookupError

    assert app.test_client().get("/a%0ab%1b").status_code == 500
    assert caplog.records[0].getMessage() == "Exception on '/a\\nb\\x1b' [GET]"
