"""Whatever a client sends, it gets JSON, in its dialect's shape, and never a server's fault."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.service import fakes
from tests.service.site import Site

MODELS = st.sampled_from(["toy", "plain", "every", "nobody"])

NUMBERS = st.one_of(
    st.integers(-3, 12),
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), 128, -129, 65520]),
    st.floats(),
)
TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "cat", "b64", "x", "text", "numbers", "name", "NaN", "\ud800", "\0"])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=20,
)

GOOD: dict[str, Any] = {
    "text": "the cat",
    "numbers": [1, 2, 3],
    "x": [1, 2],
    "flag": [True],
    "byte": [1],
    "count": [1],
    "half": [1],
    "image": [[1, 2], [3, 4]],
    "name": "n",
}
INPUTS = {
    "toy": ["text", "numbers"],
    "plain": ["x"],
    "every": ["flag", "byte", "count", "half", "image", "name"],
    "nobody": ["x"],
}


@st.composite
def nearly_right(draw: st.DrawFn, model: str) -> Any:
    """A row with, mostly, something wrong in it."""
    row = {name: GOOD[name] for name in INPUTS[model]}
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*row, "wings"]))
        match draw(st.sampled_from(["drop", "replace", "nest", "inside"])):
            case "drop":
                row.pop(name, None)
            case "replace":
                row[name] = draw(VALUES)
            case "nest":
                row[name] = [row.get(name)]
            case "inside":
                row[name] = draw(st.permutations([*(row[name] if isinstance(row.get(name), list) else []), 1.5, "s"]))
    return draw(st.one_of(st.just(row), st.just(row), VALUES))


@pytest.fixture(scope="module")
def site(toy_folder: Path) -> Site:
    """One for all examples; nothing one request does may matter to the next."""
    hand = fakes.Hand()
    site = Site(toy_folder, [fakes.handle(fakes.FakeEngine(immune=True), hand, name="plain")])
    site.hand.drivers += hand.drivers
    return site


def dumped(body: Any) -> bytes:
    """JSON as Python's own module writes it: with NaN, and with lone surrogates escaped."""
    return json.dumps(body).encode()


def check_native(response: TestResponse) -> None:
    assert response.status_code < 500, response.text
    if response.status_code < 400:
        assert response.mimetype == "application/json"
        json.loads(response.data, parse_constant=pytest.fail)
    else:
        assert response.mimetype == "application/problem+json"
        problem = json.loads(response.data, parse_constant=pytest.fail)
        assert problem["status"] == response.status_code
        assert problem["type"].startswith("urn:manifold:problem:")
        assert {"title", "detail"} <= problem.keys()
        for fault in problem.get("faults", []):
            assert fault["pointer"] == "" or fault["pointer"][0] in "/?"
            assert fault["detail"]


def check_tfs(response: TestResponse, *keys: str) -> None:
    assert response.status_code < 500 or response.status_code == 501, response.text
    assert response.mimetype == "application/json"
    assert list(json.loads(response.data)) == (["error"] if response.status_code >= 400 else list(keys))


@given(model=MODELS, body=VALUES)
def test_any_json_to_native(site: Site, model, body):
    check_native(site.client.post(f"/predict/{model}", data=dumped(body)))


@given(model=MODELS, data=st.data())
def test_a_nearly_right_row_to_native(site: Site, model, data):
    check_native(site.client.post(f"/predict/{model}", data=dumped(data.draw(nearly_right(model)))))


@given(model=MODELS, data=st.data())
def test_nearly_right_rows_to_native(site: Site, model, data):
    rows = data.draw(st.lists(nearly_right(model), max_size=4))
    check_native(site.client.post(f"/predict/{model}", data=dumped(rows)))


@given(body=st.binary(max_size=60))
def test_any_bytes_to_native(site: Site, body):
    check_native(site.client.post("/predict/plain", data=body))


@given(model=MODELS, body=VALUES, form=st.sampled_from(["instances", "inputs"]))
def test_any_json_to_tfs(site: Site, model, body, form):
    check_tfs(site.client.post(f"/v1/models/{model}:predict", data=dumped(body)))
    answer = site.client.post(f"/v1/models/{model}:predict", data=dumped({form: body}))
    check_tfs(answer, "predictions" if form == "instances" else "outputs")


@given(model=MODELS, data=st.data())
def test_nearly_right_rows_to_tfs(site: Site, model, data):
    rows = data.draw(st.lists(nearly_right(model), max_size=4))
    check_tfs(site.client.post(f"/v1/models/{model}:predict", data=dumped({"instances": rows})), "predictions")


@given(model=MODELS, data=st.data())
def test_nearly_right_columns_to_tfs(site: Site, model, data):
    rows = data.draw(st.lists(st.fixed_dictionaries({name: st.just(GOOD[name]) for name in INPUTS[model]}), max_size=3))
    columns = {name: [row[name] for row in rows] for name in INPUTS[model]}
    columns[data.draw(st.sampled_from([*columns, "wings"]))] = data.draw(VALUES)
    check_tfs(site.client.post(f"/v1/models/{model}:predict", data=dumped({"inputs": columns})), "outputs")


@given(body=st.binary(max_size=60))
def test_any_bytes_to_tfs(site: Site, body):
    check_tfs(site.client.post("/v1/models/plain:predict", data=body))


@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
def test_any_path(site: Site, path, method):
    response = site.client.open("/v1/models/" + quote(path.encode("utf-8", "replace"), safe="/:"), method=method)
    check_tfs(response, "model_version_status")
    check_native(site.client.open("/predict/" + quote(path.encode("utf-8", "replace"), safe="/:"), method=method))


@given(query=st.dictionaries(st.sampled_from(["version", "top", "outputs", "x"]), TEXTS | NUMBERS.map(str)))
def test_any_query(site: Site, query):
    pairs = {name: value.encode("utf-8", "replace") for name, value in query.items()}
    check_native(site.client.post("/predict/plain", query_string=pairs, json={"x": [1]}))


@given(
    name=st.sampled_from(["X-Request-Timeout", "X-Request-Id", "Content-Type", "Content-Encoding", "Accept"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30),
)
def test_any_header(site: Site, name, value):
    check_native(site.client.post("/predict/plain", data=b'{"x": [1]}', headers={name: value}))


@pytest.mark.parametrize("depth", [980, 1000, 1023, 1024, 1025, 10_000])
@pytest.mark.parametrize("opening", ["[", '{"x":', '{"b64":'])
def test_any_depth(site: Site, depth, opening):
    body = opening * depth + "1" + ("]" if opening == "[" else "}") * depth
    for model in ("plain", "every"):
        check_native(site.client.post(f"/predict/{model}", data=body))
        check_tfs(site.client.post(f"/v1/models/{model}:predict", data=body))
        check_tfs(site.client.post(f"/v1/models/{model}:predict", data=f'{{"instances": [{{"name": {body}}}]}}'))
        check_tfs(site.client.post(f"/v1/models/{model}:predict", data=f'{{"inputs": {{"name": [{body}]}}}}'))


def test_after_all_that_the_service_answers_as_ever(site: Site):
    assert site.predict("plain", {"x": [1, 2]}).json == {"y": [5.0]}
