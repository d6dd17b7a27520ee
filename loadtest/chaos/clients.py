"""Clients of several kinds that ask until they are told to stop, each at a rate of its own, every answer judged."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import grpc

from loadtest.chaos import calls
from loadtest.chaos.checker import Checker, Reply
from loadtest.chaos.door import HOST, Door
from loadtest.chaos.line import PATIENCE, Line
from loadtest.chaos.questions import GRPC, Question

STATUSES = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.INTERNAL: 500,
}
BROKEN = {
    "failed to connect": "refused",
    "Socket closed": "closed",
    "Connection reset": "closed",
    "GOAWAY": "closed",
    "CANCELLED": "closed",
    "Stream removed": "closed",
}
"""What grpcio itself says of a connection, and what that is here."""
BACKOFF = 0.5
"""Seconds after which grpcio tries to connect again."""

Ask = Callable[[Question], str]


class Client(threading.Thread):
    """Asks one of `questions` so many times a second, at random moments, until `stopped`."""

    def __init__(
        self, ask: Ask, questions: Sequence[Question], rate: float, stopped: threading.Event, seed: int
    ) -> None:
        super().__init__(daemon=True)
        self._ask, self._questions, self._rate, self._stopped = ask, questions, rate, stopped
        self._rng = random.Random(seed)

    def run(self) -> None:
        while not self._stopped.wait(self._rng.expovariate(self._rate)):
            self._ask(self._rng.choice(self._questions))


class Asker:
    """Asks over HTTP: `kept` on one connection, else on one per request. What HTTP lets one try again is, once."""

    numbers = itertools.count(1)

    def __init__(self, door: Door, checker: Checker, *, kept: bool) -> None:
        self._line, self._door, self._checker, self._kept = Line(door.port), door, checker, kept

    def __call__(self, question: Question) -> str:
        self.begin(question)
        return self.finish()

    def begin(self, question: Question) -> None:
        """Send, and do not wait."""
        self._number, self._question = f"chaos-{next(self.numbers)}", question
        self._request = question.request(
            self._number, self._door.headers | ({} if self._kept else {"Connection": "close"})
        )
        self._checker.asked(self._number, question)
        self._sent = time.monotonic()
        self._unsent = self._line.send(self._request)

    def finish(self) -> str:
        """Wait for the answer; what became of it."""
        reply = self._unsent or self._line.receive()
        if reply.broken == "closed" and not self._line.fresh and not reply.surplus:
            # The server may close an idle connection just when it is used again (RFC 9112, 9.5).
            self._checker.count("retried")
            reply = self._line.send(self._request) or self._line.receive()
        if not self._kept:
            self._line.close()
        return self._checker.heard(self._number, self._question, self._sent, reply)

    def close(self) -> None:
        """Let go of the connection."""
        self._line.close()


class Caller:
    """Asks over gRPC, whose library connects anew by itself."""

    def __init__(self, door: Door, checker: Checker) -> None:
        options = [(f"grpc.{one}_reconnect_backoff_ms", int(1000 * BACKOFF)) for one in ("initial", "min", "max")]
        self._channel = grpc.insecure_channel(f"{HOST}:{door.grpc_port}", options)
        self._call = self._channel.unary_unary(calls.PREDICT)
        self._door, self._checker = door, checker

    def __call__(self, question: Question) -> str:
        number = f"chaos-{next(Asker.numbers)}"
        self._checker.asked(number, question)
        sent = time.monotonic()
        reply = self._once(question, wait=False)
        if reply.broken in ("refused", "closed"):
            # A prediction may be asked again; gRPC's own policies for UNAVAILABLE do so, too.
            self._checker.count("retried")
            again = self._once(question, wait=True)
            reply = reply if again.broken == "silent" else again  # there is no server any more
        return self._checker.heard(number, question, sent, reply)

    def _once(self, question: Question, *, wait: bool) -> Reply:
        """Ask; `wait` for a connection where there is none."""
        metadata = [(name.lower(), value) for name, value in self._door.headers.items()]
        try:
            answer = self._call(question.body, timeout=PATIENCE, metadata=metadata, wait_for_ready=wait)
        except grpc.RpcError as error:
            return refused(error.code(), error.details() or "")
        version, _ = calls.read(answer)
        return Reply(200, {"x-model-version": str(version)}, answer)


def refused(code: grpc.StatusCode, details: str) -> Reply:
    """What failed, as a reply; gRPC has no Retry-After.

    >>> refused(grpc.StatusCode.UNAVAILABLE, "Socket closed").broken
    'closed'
    """
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        for words, broken in BROKEN.items():
            if words in details:
                return Reply(0, broken=broken, body=details.encode())
    if code == grpc.StatusCode.DEADLINE_EXCEEDED and details == "Deadline Exceeded":
        return Reply(0, broken="silent", body=details.encode())
    body = json.dumps({"error": f"{code.name}: {details}"}).encode()
    return Reply(STATUSES.get(code, 500), {"retry-after": "1"}, body)


class Crowd:
    """All clients, together `rate` requests a second: four that keep a connection, four that do not, two over gRPC.

    These two only where the door has a port for them.
    """

    def __init__(self, door: Door, checker: Checker, questions: Sequence[Question], rate: float) -> None:
        self._stopped = threading.Event()
        over_http = [one for one in questions if one.form != GRPC]
        over_grpc = [one for one in questions if one.form == GRPC]
        kinds: list[tuple[Ask, Sequence[Question]]] = [
            *((Asker(door, checker, kept=turn % 2 == 0), over_http) for turn in range(8)),
            *((Caller(door, checker), over_grpc) for _ in range(2 if door.grpc_port else 0)),
        ]
        each = rate / len(kinds)
        self._clients = [Client(ask, asked, each, self._stopped, seed) for seed, (ask, asked) in enumerate(kinds)]

    def start(self) -> None:
        """Begin."""
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        """No more; wait for the last answers."""
        self._stopped.set()
        for client in self._clients:
            with suppress(RuntimeError):
                client.join(2 * PATIENCE)


class Burst:
    """So many requests at once, on connections that have been answered before: in flight when a fault comes."""

    def __init__(self, door: Door, checker: Checker, questions: Sequence[Question], size: int) -> None:
        self._askers = [Asker(door, checker, kept=True) for _ in range(size)]
        self._questions = questions
        for number, asker in enumerate(self._askers):
            asker(questions[number % len(questions)])

    def begin(self) -> None:
        """Send all, wait for none."""
        for number, asker in enumerate(self._askers):
            asker.begin(self._questions[number % len(self._questions)])

    def finish(self) -> Counter[str]:
        """What became of them."""
        ends = Counter(asker.finish() for asker in self._askers)
        for asker in self._askers:
            asker.close()
        return ends
