"""A real server with real workers under hostile requests: none is a 5xx, nothing crashes, nothing grows.

In between right requests get their right answers.
"""

import contextlib
import json
import random
import re
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from loadtest.bench import processes
from tests.fuzz import noise
from tests.fuzz.noise import Asked
from tests.service.server import Server
from tests.service.test_smuggling import END, READ, REFUSED

HONEST = {501, 503, 504}
"""What no defect is: a transfer coding that is not read, overload, a deadline the client set."""
CLIENTS = 6
WARM = 0.2
"""The first share of the requests, in which memory may grow."""
GROWTH = 0.05
TURN, LEAVE, SMUGGLE, BOMB = 0.02, 0.04, 0.06, 0.002
"""The shares of right requests, of clients that leave, of smuggling and of bombs; all others are noise."""
STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


class Finding(AssertionError):
    """What a server must never do."""


class Client:
    """One of several that ask at once, each on connections of its own."""

    def __init__(self, server: Server, rights: Sequence[Asked], known: Sequence[tuple[Asked, Any]], seed: int) -> None:
        self.server, self.rights, self.known = server, rights, known
        self.chance = random.Random(seed)
        self.bombs = noise.bombs()
        self.statuses: Counter[int] = Counter()
        self.connection: socket.socket | None = None
        self.sent: deque[bytes] = deque(maxlen=3)

    def turn(self) -> None:
        """One request of a kind that chance picks; Finding."""
        kind = self.chance.random()
        if (kind := kind - TURN) < 0:
            asked, expected = self.chance.choice(self.known)
            status, body = self.ask(asked.wire())
            if status != 200 or not near(json.loads(body), expected):
                raise Finding(f"{asked.path} is answered {status} {body[:300]!r}, and was {expected!r}")
        elif (kind := kind - LEAVE) < 0:
            self.leave(noise.hostile(self.chance, self.rights).wire())
        elif (kind := kind - SMUGGLE) < 0:
            self.smuggle()
        else:
            bomb = (kind - BOMB) < 0
            asked = self.chance.choice(self.bombs) if bomb else noise.hostile(self.chance, self.rights)
            self.check(self.ask(asked.wire())[0], asked.wire())

    def check(self, status: int, sent: bytes) -> None:
        """Count a status; Finding if it is a defect of the server's."""
        self.statuses[status] += 1
        if status == 0 or (status >= 500 and status not in HONEST):
            raise Finding(f"{status} to {sent[:3000]!r}")

    def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; 0 where a new connection was closed without one."""
        if self.connection is not None:
            status, body = self.hear(sent)
            if status:
                return status, body  # else it had been idle for too long
        self.connection = self.server.connect()
        return self.hear(sent)

    def hear(self, sent: bytes) -> tuple[int, bytes]:
        """The same on the connection there is."""
        assert self.connection is not None
        self.sent.append(sent)
        received = b""
        with contextlib.suppress(OSError):  # it was answered, and closed, before all was sent
            self.connection.sendall(sent)
        while True:
            head, found, body = received.partition(b"\r\n\r\n")
            if found and head.startswith(b"HTTP/1.1 100"):
                received = body
                continue
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            if found and length and len(body) >= int(length[1]):
                break
            more = receive(self.connection)
            if not more:
                self.close()
                status = STATUS.match(received)
                return (int(status[1]) if status else 0), body
            received += more
        if b"onnection: close" in head:
            self.close()
        return int(head.split()[1]), body

    def smuggle(self) -> None:
        """What the tests of smuggling send, and what they expect."""
        name = self.chance.choice([*REFUSED, *READ])
        status, text = (REFUSED | READ)[name]
        expected = [status] if name in REFUSED else [status, 200]
        with self.server.connect() as one:
            one.sendall((text if name in REFUSED else text + END).encode("latin-1", "replace"))
            received = b""
            while more := receive(one):
                received += more
        statuses = list(map(int, STATUS.findall(received)))
        self.statuses.update(statuses)
        if statuses != expected:
            raise Finding(f"{name}: {statuses}")

    def leave(self, sent: bytes) -> None:
        """Send some of it and go, perhaps with a reset."""
        with self.server.connect() as one:
            one.sendall(sent[: self.chance.randrange(1, len(sent))])
            if self.chance.random() < 0.5:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def receive(connection: socket.socket) -> bytes:
    """What comes, nothing once it is closed or reset."""
    try:
        return connection.recv(1 << 16)
    except ConnectionResetError:
        return b""


def near(one: Any, other: Any) -> bool:
    """Whether two answers agree to float rounding."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(near(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(near, one, other))
    if isinstance(one, float):
        return abs(one - other) <= 1e-5 * max(1, abs(other))
    return bool(one == other)


def use(server: Server) -> dict[str, Any]:
    """Of the workers together, once what was asked is put away."""
    pids = server.workers()
    resident = sum(processes.resident(pid).get(pid, 0.0) for pid in pids)
    files, threads = (sum(measure(pid) for pid in pids) for measure in (processes.open_files, processes.threads))
    return {"pids": pids, "megabytes": round(resident, 1), "files": files, "threads": threads}


def run(server: Server, count: int, seed: int) -> dict[str, Any]:
    """So many requests by several clients; Finding, also of a server that has grown."""
    models = [model["name"] for model in server.get("/models").json()]
    examples = {model: server.get(f"/models/{model}").json()["example"] for model in models}
    rights = noise.right(examples)
    known = []
    clients = [Client(server, rights, known, seed + number) for number in range(CLIENTS)]
    for asked in rights:
        status, body = clients[0].ask(asked.wire())
        if status == 200 and not asked.headers:
            known.append((asked, json.loads(body)))
    began = time.monotonic()
    drive(clients, round(count * WARM))
    before = use(server)
    drive(clients, count - round(count * WARM))
    after = use(server)
    statuses = sum((client.statuses for client in clients), Counter())
    report = {
        "requests": count,
        "seconds": round(time.monotonic() - began, 1),
        "models": models,
        "statuses": {str(status): times for status, times in sorted(statuses.items())},
        "warm": before,
        "end": after,
    }
    grown = after["megabytes"] / before["megabytes"] - 1
    same = all(before[name] == after[name] for name in ("pids", "threads"))
    if grown > GROWTH or not same or after["files"] > before["files"] + CLIENTS:
        raise Finding(f"the server has changed: {before} became {after}")
    return report


def drive(clients: Sequence[Client], count: int) -> None:
    """The clients ask at once; what the first finds is raised, with what was sent last."""
    findings: list[BaseException] = []

    def work(client: Client) -> None:
        try:
            for _ in range(count // len(clients)):
                if findings:
                    return
                client.turn()
        except BaseException as error:
            error.add_note("\n".join(repr(sent[:2000]) for sent in client.sent))
            findings.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if findings:
        raise findings[0]
