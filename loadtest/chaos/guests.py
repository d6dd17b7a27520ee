"""Clients that misbehave: too slow, gone too early, or with bodies of no sense."""

import random
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from loadtest.chaos.line import HOST, Line
from loadtest.chaos.questions import GRPC, Question

HEAD = b"POST /predict/%s HTTP/1.1\r\nHost: chaos\r\n"


def slow(port: int, connections: int, seconds: float) -> None:
    """Hold so many connections open with requests that get no further than a header line at a time."""
    lines = [socket.create_connection((HOST, port)) for _ in range(connections)]
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


def leave(port: int, questions: Sequence[Question], rng: random.Random, times: int) -> None:
    """Go after a part of the request, or after all of it and nothing, or a part, of the answer."""
    asked = [one for one in questions if one.form != GRPC]
    for _ in range(times):
        request = rng.choice(asked).request("gone")
        whole = rng.random() < 0.5
        with suppress(OSError), socket.create_connection((HOST, port), timeout=5) as line:
            line.sendall(request if whole else request[: rng.randrange(len(request))])
            if whole and rng.random() < 0.5:
                line.recv(rng.randrange(1, 40))
            if rng.random() < 0.5:  # a reset in place of an orderly end
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hostile(port: int, questions: Sequence[Question], rng: random.Random, times: int) -> Iterator[str]:
    """Send bodies that are broken at random; what was answered with anything but a 4xx, or a right answer's 200."""
    asked = [one for one in questions if one.form != GRPC]
    line = Line(port)
    for _ in range(times):
        question = rng.choice(asked)
        body = bytearray(question.body)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(body))
            body[at : at + rng.randint(0, 4)] = rng.randbytes(rng.randint(0, 4)) if len(body) > 8 else b"["
        wrong = Question(
            question.model, None, question.form, question.path, question.headers, bytes(body), question.names, {}
        )
        reply = line.send(wrong.request("hostile")) or line.receive()
        if reply.broken == "closed" and not line.fresh:
            reply = line.send(wrong.request("hostile")) or line.receive()
        if not (200 <= reply.status < 500):
            yield f"{reply.status or reply.broken} {reply.body[:300]!r} to {question.path} {bytes(body)[:300]!r}"
    line.close()
