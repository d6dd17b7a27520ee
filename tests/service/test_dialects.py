"""What holds in every dialect: one contract, three languages."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service.versions.store import Version
from tests.service.artifacts import VOCABULARY
from tests.service.fakes import RAISES, Clock
from tests.service.oip import infer, outputs, tensor
from tests.service.site import MAX_BODY_BYTES, MAX_QUEUE_ROWS, Site


class Native:
    """POST /predict/<model>, problem+json."""

    invalid = 422
    place = "/{row}/x/{at}"

    @staticmethod
    def url(model: str) -> str:
        return f"/predict/{model}"

    @staticmethod
    def body(rows: list[Any]) -> Any:
        return [{"x": x} for x in rows]

    @staticmethod
    def answers(response: TestResponse) -> Any:
        return [row["y"] for row in response.json]

    @staticmethod
    def message(response: TestResponse) -> str:
        assert response.mimetype == "application/problem+json"
        assert response.json["status"] == response.status_code
        return response.json["detail"]


class Tfs:
    """POST /v1/models/<model>:predict, {"error": …}."""

    invalid = 400
    place = "/instances/{row}/x/{at}"

    @staticmethod
    def url(model: str) -> str:
        return f"/v1/models/{model}:predict"

    @staticmethod
    def body(rows: list[Any]) -> Any:
        return {"instances": [{"x": x} for x in rows]}

    @staticmethod
    def answers(response: TestResponse) -> Any:
        return response.json["predictions"]

    @staticmethod
    def message(response: TestResponse) -> str:
        assert response.mimetype == "application/json"
        assert list(response.json) == ["error"]
        return response.json["error"]


class Oip:
    """POST /v2/models/<model>/infer, {"error": …}; rows of one shape only, in one nested tensor."""

    invalid = 400
    place = "/inputs/0/data/{row}/{at}"

    @staticmethod
    def url(model: str) -> str:
        return f"/v2/models/{model}/infer"

    @staticmethod
    def body(rows: list[Any]) -> Any:
        shape = [len(rows), len(rows[0]) if rows else 1]
        return {"inputs": [{"name": "x", "datatype": "FP32", "shape": shape, "data": rows}]}

    @staticmethod
    def answers(response: TestResponse) -> Any:
        return outputs(response)["y"].tolist()

    @staticmethod
    def message(response: TestResponse) -> str:
        assert response.mimetype == "application/json"
        assert list(response.json) == ["error"]
        return response.json["error"]


@dataclass
class Speaker:
    """Asks the fake model in one dialect."""

    site: Site
    dialect: type[Native] | type[Tfs] | type[Oip]

    def ask(self, rows: list[Any], model: str = "fake", headers: dict[str, str] | None = None) -> TestResponse:
        return self.site.client.post(self.dialect.url(model), json=self.dialect.body(rows), headers=headers)

    def post(self, data: Any, **more: Any) -> TestResponse:
        return self.site.client.post(self.dialect.url("fake"), data=data, **more)


@pytest.fixture(params=[Native, Tfs, Oip], ids=["native", "tfs", "oip"])
def speaker(request, site: Site) -> Speaker:
    return Speaker(site, request.param)


def refusal(speaker: Speaker, response: TestResponse, status: int, retry_after: str | None = None) -> str:
    """The message of a refusal with that status; a refusal that passes says when to come back."""
    assert response.status_code == status
    assert response.headers.get("Retry-After") == retry_after
    assert response.headers["X-Request-Id"]
    return speaker.dialect.message(response)


def test_rows_are_answered(speaker: Speaker):
    assert speaker.dialect.answers(speaker.ask([[1, 0], [1, 2]])) == [[1.0], [5.0]]


def test_an_unknown_model_is_not_found(speaker: Speaker):
    refusal(speaker, speaker.ask([[1]], model="nobody"), 404)


def test_an_empty_list_is_refused(speaker: Speaker):
    refusal(speaker, speaker.ask([]), speaker.dialect.invalid if speaker.dialect is Native else 400)


def test_as_many_rows_as_may_wait_are_answered(speaker: Speaker):
    assert speaker.ask([[1]] * MAX_QUEUE_ROWS).status_code == 200


def test_more_rows_than_could_ever_wait_are_refused(speaker: Speaker):
    response = speaker.ask([[1]] * (MAX_QUEUE_ROWS + 1))
    message = refusal(speaker, response, speaker.dialect.invalid)
    assert f"expected at most {MAX_QUEUE_ROWS} rows in one request, got {MAX_QUEUE_ROWS + 1}" in message
    assert speaker.site.engine.calls == []


def test_when_the_queue_is_full_the_client_is_told_when_to_come_back(speaker: Speaker):
    waiting = speaker.site.queue([[0.0]] * MAX_QUEUE_ROWS)
    message = refusal(speaker, speaker.ask([[1]]), 429, retry_after="1")
    assert message.startswith(f"{MAX_QUEUE_ROWS} rows wait already")
    speaker.site.hand.turn()
    assert all(one.future.done() for one in waiting)
    assert speaker.ask([[1]]).status_code == 200


def test_a_passed_deadline_is_told_and_the_row_never_reaches_the_engine(speaker: Speaker):
    speaker.site.hand.held = True
    response = speaker.ask([[1, 1], [2, 2]], headers={"X-Request-Timeout": "0.001"})
    assert "the answer was not there in the time the request allows" in refusal(speaker, response, 504)
    speaker.site.hand.turn()
    assert speaker.site.engine.calls == []
    assert speaker.site.fake.batcher.waiting_rows == 0


def test_a_row_that_expires_in_the_queue_is_told_and_never_reaches_the_engine(speaker: Speaker):
    speaker.site.fake.batcher._clock = Clock(now=1e18)
    assert "waited longer" in refusal(speaker, speaker.ask([[1]]), 504)
    assert speaker.site.engine.calls == []


@pytest.mark.parametrize("timeout", ["never", "-1", "nan"])
def test_a_timeout_that_is_none_is_refused(speaker: Speaker, timeout):
    response = speaker.ask([[1]], headers={"X-Request-Timeout": timeout})
    assert "X-Request-Timeout" in refusal(speaker, response, speaker.dialect.invalid)


def test_a_draining_model_refuses(speaker: Speaker):
    speaker.site.fake.close()
    assert "another replica may answer" in refusal(speaker, speaker.ask([[1]]), 503, retry_after="1")
    assert speaker.site.engine.closed


def test_a_model_that_is_still_loading_says_so(speaker: Speaker):
    speaker.site.catalog.expect([Version("fake", 1, Path())])
    refusal(speaker, speaker.ask([[1]]), 503, retry_after="1")


def test_a_failing_engine_is_told_in_one_line_without_a_stack_trace(speaker: Speaker):
    message = refusal(speaker, speaker.ask([[1], [RAISES]]), 500)
    assert message == "RuntimeError: poisoned row"


def test_a_failed_request_fails_no_other(speaker: Speaker):
    [neighbour] = speaker.site.queue([[5.0]])
    assert speaker.ask([[RAISES]]).status_code == 500
    assert neighbour.future.result(0).outputs["y"].tolist() == [[5.0]]


def test_one_request_of_a_culprit_and_others_fails_as_a_whole(speaker: Speaker):
    assert speaker.ask([[1], [2]] * 4 + [[RAISES]]).status_code == 500
    assert speaker.site.fake.batcher.waiting_rows == 0


def test_a_body_too_large_is_refused(speaker: Speaker):
    message = refusal(speaker, speaker.post(b" " * (MAX_BODY_BYTES + 1)), 413)
    assert message == f"the body is larger than {MAX_BODY_BYTES} bytes; send fewer rows at a time"


def test_a_body_just_small_enough_is_read(speaker: Speaker):
    body = json.dumps(speaker.dialect.body([[1]])).encode()
    assert speaker.post(body + b" " * (MAX_BODY_BYTES - len(body))).status_code == 200


class TestBodiesWithoutADeclaredLength:
    """As gunicorn hands over a chunked body: a stream that ends by itself."""

    def send(self, speaker: Speaker, stream: io.RawIOBase | io.BytesIO) -> TestResponse:
        return speaker.site.client.post(
            speaker.dialect.url("fake"),
            input_stream=stream,
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )

    def test_a_small_one_is_read(self, speaker: Speaker):
        body = json.dumps(speaker.dialect.body([[1, 2]])).encode()
        assert speaker.dialect.answers(self.send(speaker, io.BytesIO(body))) == [[5.0]]

    def test_a_large_one_is_refused_not_cut(self, speaker: Speaker):
        body = json.dumps(speaker.dialect.body([[1]])).encode()
        message = refusal(speaker, self.send(speaker, io.BytesIO(body.ljust(2 * MAX_BODY_BYTES))), 413)
        assert f"larger than {MAX_BODY_BYTES} bytes" in message

    @pytest.mark.parametrize("error", [Exception("invalid chunk size"), ConnectionResetError()], ids=["chunk", "reset"])
    def test_one_that_breaks_off_is_the_clients_fault(self, speaker: Speaker, error):
        class Broken(io.RawIOBase):
            def readable(self) -> bool:
                return True

            def seek(self, *_) -> int:
                return 0

            tell = seek

            def readinto(self, _) -> int:
                raise error

        message = refusal(speaker, self.send(speaker, Broken()), 400)
        assert message == "the body cannot be read: it broke off, or its chunks are none"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 5000, b"nan"], ids=repr)
def test_what_is_no_json_is_refused(speaker: Speaker, body):
    refusal(speaker, speaker.post(body), 400)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused_with_their_place(speaker: Speaker, number):
    body = json.dumps(speaker.dialect.body([[1], [7]])).replace("7", number)
    response = speaker.post(body)
    assert response.status_code in (400, speaker.dialect.invalid)
    assert f"{speaker.dialect.place.format(row=1, at=0)}: expected" in speaker.dialect.message(response)
    assert speaker.site.engine.calls == []


@pytest.mark.parametrize("dialect", [Native, Tfs], ids=["native", "tfs"])
def test_ragged_rows_share_batches_only_with_their_like(site: Site, dialect):
    speaker = Speaker(site, dialect)
    speaker.ask([[1], [1, 2], [3], [3, 4]])
    assert [call["x"].shape for call in speaker.site.engine.calls] == [(2, 1), (2, 2)]


def test_the_answer_does_not_depend_on_who_else_was_in_the_batch(speaker: Speaker):
    alone = speaker.ask([[1.25, 2.5]])
    speaker.site.queue([[9.0, 9.0]], [[7.0]])
    beside_others = speaker.ask([[1.25, 2.5]])
    assert speaker.dialect.answers(beside_others) == speaker.dialect.answers(alone)
    assert len(speaker.site.engine.calls[1]["x"]) == 2


@pytest.fixture(scope="module")
def one_site(toy_folder: Path) -> Site:
    """The same for all examples."""
    return Site(toy_folder)


class TestAllDialectsGiveTheSameAnswers:
    """For the same rows the numbers are the same: bit by bit in bytes, as exactly as JSON has them elsewhere."""

    @given(
        rows=st.integers(1, 3).flatmap(
            lambda width: st.lists(
                st.lists(st.floats(-1e6, 1e6, width=32), min_size=width, max_size=width), min_size=1, max_size=12
            )
        )
    )
    def test_numbers_of_rows_of_one_shape(self, one_site: Site, rows):
        answers = [
            dialect.answers(one_site.client.post(dialect.url("fake"), json=dialect.body(rows)))
            for dialect in (Native, Tfs, Oip)
        ]
        body = {"inputs": [tensor("x", "FP32", rows)], "parameters": {"binary_data_output": True}}
        answers.append(outputs(infer(one_site.client, "fake", body))["y"].tolist())
        assert answers == [answers[0]] * 4

    @given(
        rows=st.lists(
            st.tuples(
                st.lists(st.integers(1, len(VOCABULARY) - 1), min_size=1, max_size=12),
                st.tuples(*[st.floats(-10, 10, width=32)] * 3),
            ),
            min_size=1,
            max_size=6,
        )
    )
    def test_texts_of_any_lengths_padded_where_the_protocol_has_no_other_way(self, one_site: Site, rows):
        natively = one_site.predict("toy", [{"text": text, "numbers": numbers} for text, numbers in rows]).json
        longest = max(len(text) for text, _ in rows)
        padded = [text + [0] * (longest - len(text)) for text, _ in rows]
        inputs = [tensor("text", "INT32", padded), tensor("numbers", "FP32", [numbers for _, numbers in rows])]
        scores = outputs(infer(one_site.client, "toy", {"inputs": inputs}))["score"]
        expected = np.array([[row["score"]["value"]] for row in natively], np.float32)
        assert np.array_equal(scores, expected)
        by_row = one_site.tfs("toy", {"instances": [{"text": text, "numbers": numbers} for text, numbers in rows]})
        assert np.array_equal(np.array([row["score"] for row in by_row.json["predictions"]], np.float32), expected)
