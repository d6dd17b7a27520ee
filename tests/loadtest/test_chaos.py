"""The chaos run's judgement: right answers and honest refusals pass, whatever else a server does is caught."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from loadtest.bench.client import whole
from loadtest.chaos.checker import Checker, Reply
from loadtest.chaos.clients import Asker, Burst
from loadtest.chaos.door import Door
from loadtest.chaos.forms import FORMS, Rows
from loadtest.chaos.questions import Question
from loadtest.chaos.times import Excuses, Versions
from service.dialects.oip import binary

ONE, OTHER = 0.25, 0.75


def question(value: float = ONE, version: int | None = None) -> Question:
    """One that is answered by `value` in version 1, and by its negative in version 2."""
    body = json.dumps({"instances": [{"x": value}]}).encode()
    return Question(
        "m", version, "tfs-rows", "/v1/models/m:predict", {}, body, ("y",), {1: {"y": [value]}, 2: {"y": [-value]}}
    )


def reply(value: float = ONE, status: int = 200, version: int = 1, **headers: str) -> Reply:
    named = {"x-model-version": str(version), **{name.replace("_", "-"): one for name, one in headers.items()}}
    return Reply(status, named, json.dumps({"predictions": [value]}).encode())


def refusal(status: int, reason: str = "too much", **headers: str) -> Reply:
    return Reply(
        status, {name.replace("_", "-"): one for name, one in headers.items()}, json.dumps({"error": reason}).encode()
    )


@pytest.fixture
def checker() -> Checker:
    made = Checker(Versions(), Excuses())
    made.versions.allow("m", 1)
    return made


def judged(checker: Checker, heard: Reply, asked: Question | None = None) -> str:
    asked = asked or question()
    checker.asked("n", asked)
    return checker.heard("n", asked, 0.0, heard)


def test_a_right_answer_is_right_and_a_wrong_one_is_not(checker: Checker):
    assert judged(checker, reply(ONE + 5e-5)) == "right"
    assert judged(checker, reply(ONE + 2e-4)) == "violation"
    assert judged(checker, reply(float("nan"))) == "violation"
    assert checker.counts == {"asked": 3, "right": 1, "violation": 2}
    assert "off the right answer of version 1" in checker.violations[0]["what"]


def test_only_versions_that_may_answer_do(checker: Checker):
    assert judged(checker, reply(-ONE, version=2)) == "violation"
    checker.versions.allow("m", 1, 2)
    assert judged(checker, reply(-ONE, version=2)) == "right"
    assert judged(checker, reply(ONE, version=2)) == "violation", "another version's answer"
    assert judged(checker, reply(-ONE, version=2), question(version=1)) == "violation"
    assert judged(checker, reply(ONE, version=3)) == "violation"


def test_a_request_that_was_sent_before_a_change_may_be_answered_by_what_was(checker: Checker):
    checker.asked("n", question())
    checker.versions.allow("m", 2)
    long_ago, now = 0.0, float("inf")
    assert checker.heard("n", question(), long_ago, reply(ONE, version=1)) == "right"
    checker.asked("n", question())
    assert not checker.versions.may("m", 1, now, now)


def test_refusals_are_honest_only_if_excused_with_a_reason_and_a_time(checker: Checker):
    assert judged(checker, refusal(503, retry_after="1")) == "violation", "nothing excuses it"
    with checker.excuses.excused(429, 503, 504):
        assert judged(checker, refusal(503, retry_after="1")) == "503"
        assert judged(checker, refusal(429)) == "violation", "no Retry-After"
        assert judged(checker, refusal(429, retry_after="soon")) == "violation"
        assert judged(checker, refusal(504)) == "504", "that promises no time"
        assert judged(checker, refusal(503, reason="", retry_after="1")) == "violation"
        assert judged(checker, refusal(500)) == "violation"
        assert judged(checker, Reply(503, {"retry-after": "1"}, b"<html>")) == "violation"
    with checker.excuses.excused(404, model="other"):
        assert judged(checker, refusal(404)) == "violation"


def test_connections_break_only_where_that_is_excused(checker: Checker):
    assert judged(checker, Reply(0, broken="closed")) == "violation"
    with checker.excuses.excused("closed"):
        assert judged(checker, Reply(0, broken="closed")) == "closed"
        assert judged(checker, Reply(0, broken="cut")) == "violation"


def test_an_answer_to_another_is_caught_even_if_it_says_the_same(checker: Checker):
    assert judged(checker, reply(x_request_id="n")) == "right"
    assert judged(checker, reply(x_request_id="m")) == "violation"


def test_what_is_answered_twice_or_never_is_caught(checker: Checker):
    assert judged(checker, reply()) == "right"
    assert checker.heard("n", question(), 0.0, reply()) == "violation"
    checker.asked("lost", question())
    checker.lost()
    assert ["twice" in checker.violations[0]["what"], "never ended" in checker.violations[1]["what"]] == [True, True]


@contextmanager
def server(answer: Callable[[int, bytes], bytes]) -> Iterator[int]:
    """A server of one connection after another, which answers as told; behind less than an answer it closes."""

    def serve() -> None:
        count = 0
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                while said := line.recv(1 << 16):
                    count += 1
                    told = answer(count, said)
                    line.sendall(told)
                    if (whole(told) or 1 << 30) > len(told):
                        break

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def written(said: bytes, value: float | None = None, number: str = "") -> bytes:
    """The answer to a request, or another's."""
    head, _, body = said.partition(b"\r\n\r\n")
    asked = next(line for line in head.decode().split("\r\n") if line.startswith("X-Request-Id")).split()[1]
    right = json.loads(body)["instances"][0]["x"]
    text = json.dumps({"predictions": [right if value is None else value]}).encode()
    lines = [
        "HTTP/1.1 200 OK",
        "X-Model-Version: 1",
        f"X-Request-Id: {number or asked}",
        f"Content-Length: {len(text)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + text


def asked_of(checker: Checker, answer: Callable[[int, bytes], bytes], times: int = 1) -> list[str]:
    with server(answer) as port:
        asker = Asker(Door(port), checker, kept=True)
        try:
            return [asker(question(0.25 + number)) for number in range(times)]
        finally:
            asker.close()


def test_a_server_that_is_right_passes(checker: Checker):
    assert asked_of(checker, lambda _, said: written(said), times=3) == ["right"] * 3
    assert not checker.violations


def test_a_server_that_answers_wrongly_is_caught(checker: Checker):
    assert asked_of(checker, lambda _, said: written(said, value=0.7)) == ["violation"]


def test_a_server_that_gives_anothers_answer_is_caught(checker: Checker):
    assert asked_of(checker, lambda _, said: written(said, number="chaos-0")) == ["violation"]


def test_a_server_that_answers_twice_is_caught(checker: Checker):
    kinds = asked_of(checker, lambda _, said: written(said) * 2, times=2)

    assert "violation" in kinds
    assert "unasked bytes" in checker.violations[0]["what"]


def test_a_server_that_loses_a_request_is_caught(checker: Checker):
    assert asked_of(checker, lambda _, said: b"") == ["violation"]
    assert asked_of(checker, lambda _, said: written(said)[:-5]) == ["violation"]


def test_an_idle_connection_that_was_closed_is_tried_once_more(checker: Checker):
    assert asked_of(checker, lambda count, said: b"" if count == 2 else written(said), times=2) == ["right", "right"]
    assert checker.counts["retried"] == 1
    assert asked_of(checker, lambda count, said: written(said) if count == 1 else b"", times=2) == [
        "right",
        "violation",
    ]


def test_what_becomes_of_requests_in_flight_is_counted(checker: Checker):
    with server(lambda _, said: written(said)) as port:
        burst = Burst(Door(port), checker, [question()], 1)
        burst.begin()

        assert burst.finish() == {"right": 1}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_carries_the_rows(form: str):
    values = [{"x": [0.5, 1.5], "t": "some words"}]
    tensors = {"x": np.array([[0.5, 1.5]], np.float32), "t": np.array(["some words"], object)}
    path, headers, body = FORMS[form].write(Rows("m", 3, values, tensors))

    assert "m" in path
    assert "3" in path
    assert headers["Content-Type"]
    assert (b"some words" in body) or form == "npz"


def test_binary_outputs_are_read_to_their_last_byte():
    outputs = {"y": np.array([[0.5], [1.5]], np.float32), "n": np.array([[7]], np.int64)}
    parts = [binary.to_bytes(array) for array in outputs.values()]
    described = [
        {"name": name, "datatype": "FP32" if name == "y" else "INT64", "parameters": {"binary_data_size": len(part)}}
        for name, part in zip(outputs, parts, strict=True)
    ]
    head = json.dumps({"outputs": described}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    read = FORMS["v2-binary"].read

    assert read(headers, head + b"".join(parts), ()) == {"y": [0.5, 1.5], "n": [7]}
    with pytest.raises(ValueError, match="behind the last"):
        read(headers, head + b"".join(parts) + b"x", ())
