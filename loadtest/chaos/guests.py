"""Clients that misbehave: too slow, gone too early, or with bodies of no sense."""

import json
import random
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from loadtest.chaos import faulty
from loadtest.chaos.door import HOST, Door
from loadtest.chaos.line import Line
from loadtest.chaos.questions import GRPC, Question
from loadtest.chaos.stage import QUICK, SLOW
from loadtest.chaos.waiting import Stuck

HEAD = b"POST /predict/%s HTTP/1.1\r\nHost: chaos\r\n"


def slow(door: Door, connections: int, seconds: float) -> None:
    """Hold so many connections open with requests that get no further than a header line at a time."""
    lines = [socket.create_connection((HOST, door.port)) for _ in range(connections)]
    end = time.monotonic() + seconds
    for line in lines:
        line.sendall(HEAD % b"qa")
    number = 0
    while time.monotonic() < end:
        number += 1
        for line in lines:
            with suppress(OSError):
                line.sendall(b"X-Slow-%d: 1\r\n" % number)
        time.sleep(0.5)
    for line in lines:
        line.close()


def leave(door: Door, questions: Sequence[Question], rng: random.Random, times: int) -> None:
    """Go after a part of the request, or after all of it and nothing, or a part, of the answer."""
    asked = [one for one in questions if one.form != GRPC]
    for _ in range(times):
        request = rng.choice(asked).request("gone", door.headers)
        whole = rng.random() < 0.5
        with suppress(OSError), socket.create_connection((HOST, door.port), timeout=5) as line:
            line.sendall(request if whole else request[: rng.randrange(len(request))])
            if whole and rng.random() < 0.5:
                line.recv(rng.randrange(1, 40))
            if rng.random() < 0.5:  # a reset in place of an orderly end
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hostile(door: Door, questions: Sequence[Question], rng: random.Random, times: int) -> Iterator[str]:
    """Send bodies that are broken at random; what was answered with anything but a 4xx, or a right answer's 200."""
    asked = [one for one in questions if one.form != GRPC]
    line = Line(door.port)
    for _ in range(times):
        question = rng.choice(asked)
        body = bytearray(question.body)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(body))
            body[at : at + rng.randint(0, 4)] = rng.randbytes(rng.randint(0, 4)) if len(body) > 8 else b"["
        wrong = Question(
            question.model, None, question.form, question.path, question.headers, bytes(body), question.names, {}
        )
        reply = line.send(wrong.request("hostile", door.headers)) or line.receive()
        if reply.broken == "closed" and not line.fresh:
            reply = line.send(wrong.request("hostile", door.headers)) or line.receive()
        if not (200 <= reply.status < 500):
            yield f"{reply.status or reply.broken} {reply.body[:300]!r} to {question.path} {bytes(body)[:300]!r}"
    line.close()


def opens(door: Door, questions: Sequence[Question]) -> bool:
    """Whether a key is taken; by the worker that this connection comes to."""
    question = next(one for one in questions if one.form == "native")
    line = Line(door.port)
    reply = line.send(question.request("key", door.headers)) or line.receive()
    line.close()
    return reply.status not in (401, 0)


def poisoned(door: Door, rng: random.Random, times: int) -> Iterator[str]:
    """Send rows that make the model fail; what was not answered as it should."""
    line = Line(door.port)
    for _ in range(times):
        model, fault = rng.choice([QUICK, SLOW]), rng.choice([faulty.RAISE, faulty.NAN, faulty.SHORT])
        reply = line.send(failing(model, fault, door)) or line.receive()
        passed = fault == faulty.NAN and model == QUICK  # the other's policy refuses it
        if reply.status != (200 if passed else 500):
            yield f"fault {fault} of {model} was answered {reply.status or reply.broken} {reply.body[:300]!r}"
    line.close()


def hang(door: Door, model: str) -> None:
    """Send a row on which the model never ends; wait for what becomes of it."""
    line = Line(door.port)
    reply = line.send(failing(model, faulty.HANG, door)) or line.receive()
    line.close()
    if reply.status == 200:
        raise Stuck(f"{model} has answered a call that never ends")


def failing(model: str, fault: int, door: Door) -> bytes:
    """A request for such a row."""
    body = json.dumps({"x": [1.0], "fault": [fault]}).encode()
    headers = {"Content-Type": "application/json", **door.headers}
    return Question(model, None, "native", f"/predict/{model}", headers, body, ("y",), {}).request("poison")
