"""Whatever a client sends, it gets JSON, in its dialect's shape, and never a server's fault."""

import gzip
import io
import json
import warnings
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgpack
import numpy as np
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service import loading
from service.settings import Settings
from service.versions.store import Version
from tests.service import artifacts, fakes
from tests.service.oip import HEADER
from tests.service.site import EVERY_ROW, Site

MODELS = st.sampled_from(["toy", "shop", "plain", "every", "nobody"])

NUMBERS = st.one_of(
    st.integers(-3, 12),
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), 128, -129, 65520]),
    st.floats(),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "cat", "b64", "x", "text", "numbers", "name", "NaN", "wool", "data:,", "\ud800", "\0"]),
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
    **EVERY_ROW,
    "photo": artifacts.png(artifacts.PHOTO),
    "fabric": "wool",
    "worn": [[0, 1]],
}
INPUTS = {
    "toy": ["text", "numbers"],
    "shop": ["photo", "fabric", "worn"],
    "plain": ["x"],
    "every": list(EVERY_ROW),
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
def site(toy_folder: Path, shop_folder: Path) -> Site:
    """One for all examples; nothing one request does may matter to the next."""
    hand = fakes.Hand()
    shop = loading.load(Version("shop", 1, shop_folder), Settings(engine="onnx"), lambda _: hand)
    site = Site(toy_folder, [shop, fakes.handle(fakes.FakeEngine(immune=True), hand, name="plain")])
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
    assert response.status_code < 500, response.text
    assert response.mimetype == "application/json"
    assert list(json.loads(response.data)) == (["error"] if response.status_code >= 400 else list(keys))


def check_oip(response: TestResponse) -> None:
    assert response.status_code < 500, response.text
    head = response.data[: int(response.headers.get(HEADER, len(response.data)))]
    answer = json.loads(head, parse_constant=pytest.fail)
    if response.status_code >= 400:
        assert response.mimetype == "application/json"
        assert list(answer) == ["error"]
    else:
        assert answer["outputs"]


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


TENSORS: dict[str, dict[str, Any]] = {
    "text": {"datatype": "INT32", "shape": [1, 2], "data": [2, 3]},
    "numbers": {"datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]},
    "x": {"datatype": "FP32", "shape": [1, 2], "data": [1, 2]},
    "flag": {"datatype": "BOOL", "shape": [1, 1], "data": [True]},
    "byte": {"datatype": "INT8", "shape": [1, 1], "data": [1]},
    "count": {"datatype": "UINT64", "shape": [1, 1], "data": [1]},
    "half": {"datatype": "FP16", "shape": [1, 1], "data": [1]},
    "image": {"datatype": "FP32", "shape": [1, 2, 2], "data": [1, 2, 3, 4]},
    "name": {"datatype": "BYTES", "shape": [1], "data": ["n"]},
    "photo": {"datatype": "BYTES", "shape": [1], "data": [GOOD["photo"]]},
    "fabric": {"datatype": "INT32", "shape": [1], "data": [0]},
    "worn": {"datatype": "FP32", "shape": [1, 1, 2], "data": [0, 1]},
}
SIZES = st.one_of(st.integers(-1, 24), st.just(2**62), VALUES)


@st.composite
def nearly_right_inference(draw: st.DrawFn, model: str) -> Any:
    """A request with, mostly, something wrong in it."""
    body: dict[str, Any] = {"inputs": [{"name": name, **TENSORS[name]} for name in INPUTS[model]]}
    for _ in range(draw(st.integers(0, 3))):
        tensor = draw(st.sampled_from(body["inputs"]))
        member = draw(st.sampled_from(["name", "datatype", "shape", "data", "parameters"]))
        match draw(st.sampled_from(["drop", "replace", "size", "bytes", "around"])):
            case "drop":
                tensor.pop(member, None)
            case "replace":
                tensor[member] = draw(VALUES)
            case "size":
                tensor["shape"] = draw(st.lists(SIZES, max_size=4))
            case "bytes":
                tensor.pop("data", None)
                tensor["parameters"] = {"binary_data_size": draw(SIZES)}
            case "around":
                body[draw(st.sampled_from(["id", "parameters", "outputs"]))] = draw(VALUES)
    return body


@given(model=MODELS, member=st.sampled_from(["inputs", "outputs", "parameters", "id"]), body=VALUES)
def test_any_json_to_oip(site: Site, model, member, body):
    check_oip(site.client.post(f"/v2/models/{model}/infer", data=dumped(body)))
    right = {"inputs": [{"name": name, **TENSORS[name]} for name in INPUTS[model]]}
    check_oip(site.client.post(f"/v2/models/{model}/infer", data=dumped(right | {member: body})))


@given(model=MODELS, data=st.data(), behind=st.binary(max_size=60))
def test_a_nearly_right_inference_to_oip(site: Site, model, data, behind):
    head = dumped(data.draw(nearly_right_inference(model)))
    check_oip(site.client.post(f"/v2/models/{model}/infer", data=head))
    check_oip(site.client.post(f"/v2/models/{model}/infer", data=head + behind, headers={HEADER: str(len(head))}))


@given(
    model=MODELS,
    body=st.binary(max_size=60),
    length=st.one_of(
        st.integers(-2, 70).map(str),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=10),
    ),
)
def test_any_bytes_of_any_header_length_to_oip(site: Site, model, body, length):
    check_oip(site.client.post(f"/v2/models/{model}/infer", data=body))
    check_oip(site.client.post(f"/v2/models/{model}/infer", data=body, headers={HEADER: length}))


@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
def test_any_path_under_v2(site: Site, path, method):
    for root in ("/v2/", "/v2/models/", "/v2/models/toy/versions/", "/v2/repository/models/"):
        response = site.client.open(root + quote(path.encode("utf-8", "replace"), safe="/:"), method=method)
        assert response.status_code < 500
        assert response.status_code < 400 or list(response.json) == ["error"]


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


FORMS = st.sampled_from(
    ["application/json", "application/msgpack", "application/x-npz", "application/octet-stream", "text/plain"]
)
CODINGS = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}
TENSOR_KEYS = st.dictionaries(st.sampled_from(["dtype", "shape", "data"]), VALUES | st.binary(max_size=8), max_size=3)
DTYPES = st.sampled_from(["float32", "float64", "int8", "int64", "uint8", "uint64", "bool", "float16", "object", ""])
SHAPES = st.lists(st.integers(-1, 4), max_size=4)


@st.composite
def nearly_right_tensor(draw: st.DrawFn) -> Any:
    """A tensor of MessagePack with, mostly, something wrong in it."""
    tensor = {"dtype": draw(DTYPES), "shape": draw(SHAPES), "data": draw(st.binary(max_size=32))}
    return draw(st.one_of(st.just(tensor), TENSOR_KEYS.map(lambda other: tensor | other)))


@st.composite
def nearly_right_file(draw: st.DrawFn, model: str) -> bytes:
    """An .npz file with, mostly, something wrong in it."""
    file = io.BytesIO()
    kinds = st.sampled_from(["f4", "f8", ">f4", "i1", "i8", "u8", "?", "U3", "S3", "c8", "M8[s]"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arrays = {
            name: np.frombuffer(draw(st.binary(min_size=192, max_size=192)), kind)[:6].reshape(shape)
            for name, kind, shape in (
                (name, draw(kinds), draw(st.sampled_from([(6,), (1, 6), (2, 3), (3, 2), (1, 2, 3), (6, 1)])))
                for name in draw(st.permutations([*INPUTS[model], "wings"]))[: draw(st.integers(0, 7))]
            )
        }
        np.savez(file, **arrays)
    body = bytearray(file.getvalue())
    for _ in range(draw(st.integers(0, 3))):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body[: draw(st.sampled_from([len(body), len(body), draw(st.integers(0, len(body)))]))])


def check_form(response: TestResponse) -> None:
    """A right answer in its form, or a problem in JSON."""
    if response.mimetype == "application/msgpack":
        assert response.status_code == 200
        msgpack.unpackb(response.data)
    elif response.mimetype == "application/x-npz":
        assert response.status_code == 200
        with np.load(io.BytesIO(response.data), allow_pickle=False) as file:
            assert all(len(file[name]) for name in file)
    else:
        check_native(response)


@given(body=st.binary(max_size=60), form=FORMS, accept=FORMS, coding=st.sampled_from([*CODINGS, "br", "gzip, zstd"]))
def test_any_bytes_in_any_form_and_coding(site: Site, body, form, accept, coding):
    headers = {"Content-Type": form, "Accept": accept, "Content-Encoding": coding}
    check_form(site.client.post("/predict/plain", data=body, headers=headers))
    check_form(site.client.post("/predict/every", data=CODINGS.get(coding, bytes)(body), headers=headers))
    check_tfs(site.client.post("/v1/models/plain:predict", data=body, headers=headers))
    check_oip(site.client.post("/v2/models/plain/infer", data=body, headers=headers))


@given(model=MODELS, data=st.data(), accept=FORMS)
def test_nearly_right_messages(site: Site, model, data, accept):
    rows = data.draw(st.lists(nearly_right(model), max_size=3))
    for row in rows:
        if isinstance(row, dict) and row:
            row[data.draw(st.sampled_from(list(row)))] = data.draw(nearly_right_tensor() | st.binary(max_size=9))
    for body in (rows, *rows):
        try:
            packed = msgpack.packb(body, unicode_errors="surrogatepass")
        except OverflowError:
            continue
        headers = {"Content-Type": "application/msgpack", "Accept": accept}
        check_form(site.client.post(f"/predict/{model}", data=packed, headers=headers))


@given(model=st.sampled_from([*INPUTS]), data=st.data(), accept=FORMS)
def test_nearly_right_files(site: Site, model, data, accept):
    body = data.draw(nearly_right_file(model))
    headers = {"Content-Type": "application/x-npz", "Accept": accept}
    check_form(site.client.post(f"/predict/{model}", data=body, headers=headers))


@given(model=MODELS, method=st.sampled_from(["classify", "regress"]), body=VALUES, data=st.data())
def test_any_examples_to_tfs(site: Site, model, method, body, data):
    path, context = f"/v1/models/{model}:{method}", data.draw(VALUES)
    check_tfs(site.client.post(path, data=dumped(body)), "results")
    check_tfs(site.client.post(path, data=dumped({"examples": body, "context": context})), "results")
    rows = data.draw(st.lists(nearly_right(model), min_size=1, max_size=3))
    name = data.draw(st.sampled_from(["score", "mood", "sure", "price", "style", "y", ""]))
    check_tfs(site.client.post(path, data=dumped({"examples": rows, "signature_name": name})), "results")


@pytest.mark.parametrize("depth", [980, 1000, 1023, 1024, 1025, 10_000])
@pytest.mark.parametrize("opening", ["[", '{"x":', '{"b64":'])
def test_any_depth(site: Site, depth, opening):
    body = opening * depth + "1" + ("]" if opening == "[" else "}") * depth
    for model in ("plain", "every"):
        check_native(site.client.post(f"/predict/{model}", data=body))
        check_tfs(site.client.post(f"/v1/models/{model}:predict", data=body))
        check_tfs(site.client.post(f"/v1/models/{model}:predict", data=f'{{"instances": [{{"name": {body}}}]}}'))
        check_tfs(site.client.post(f"/v1/models/{model}:predict", data=f'{{"inputs": {{"name": [{body}]}}}}'))
        check_oip(site.client.post(f"/v2/models/{model}/infer", data=body))
        check_oip(site.client.post(f"/v2/models/{model}/infer", data=f'{{"inputs": [{{"data": {body}}}]}}'))


def test_after_all_that_the_service_answers_as_ever(site: Site):
    assert site.predict("plain", {"x": [1, 2]}).json == {"y": [5.0]}
