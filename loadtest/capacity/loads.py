"""What a server and its client take at several loads, every answer checked."""

import time
from collections.abc import Callable
from typing import Any

from loadtest.bench import loops, processes
from loadtest.bench.client import Client
from loadtest.bench.listener import percentiles
from loadtest.bench.measure import Asked, unchecked

SATURATING = 32
"""Connections of which a worker's batches are as good as full."""
CONNECTIONS = (1, 8, SATURATING, 128)
SHARES = (0.3, 0.5, 0.7)
"""Of the rate that a closed loop finds."""
WARM = 1.0
HEAD = 250
"""Bytes of an answer's head, about."""
REFUSED = 429


def loads(asked: Asked, seconds: float) -> dict[str, Any]:
    """Closed loops of several connections, then open ones at shares of a rate, over all connections in turn."""
    loops.closed(asked, SATURATING, WARM)

    def closed(connections: int) -> dict[str, Any]:
        return busy(asked, connections, lambda client: client.closed(loops.after(seconds)))

    def opened(rate: float) -> dict[str, Any]:
        return busy(asked, max(CONNECTIONS), lambda client: client.open(rate, seconds, spread=True))

    filled = {connections: closed(connections) for connections in CONNECTIONS}
    return {"closed": filled, "opened": {share: opened(share * filled[SATURATING]["rate"]) for share in SHARES}}


def busy(asked: Asked, connections: int, ask: Callable[[Client], object]) -> dict[str, Any]:
    """Requests a second, milliseconds of an answer, and microseconds of the server's and the client's processors.

    SystemExit if an answer was wrong; a refusal is none.
    """
    pid = asked.server.pid
    with loops.client(Asked(asked.server, asked.bodies, None), connections) as (client, listener):
        started, used, own = time.perf_counter(), processes.cpu_seconds(pid), time.process_time()
        ask(client)
        passed, count = time.perf_counter() - started, len(client.latencies)
        spent = {"cpu_us": processes.cpu_seconds(pid) - used, "client_us": time.process_time() - own}
    answers = [one for one in listener.told if one.status != REFUSED]
    verdict = asked.checker.check(answers) if asked.checker else unchecked(answers)
    if verdict.wrong:
        raise SystemExit(f"{verdict.wrong} of {verdict.answers} answers were wrong: {verdict.example}")
    return {
        "rate": round(count / passed),
        "answered": verdict.answers,
        "refused": count - verdict.answers,
        **percentiles(client.latencies),
        **{name: round(seconds / count * 1e6, 1) for name, seconds in spent.items()},
        "asked_bytes": max(map(len, client.requests)),
        "told_bytes": HEAD + max(len(one.body) for one in listener.told),
    }
