"""What a server leaves behind when it has ended: nothing; what its processes came to hold: no more than at first."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from loadtest.bench import processes as usage
from loadtest.chaos import processes
from loadtest.chaos.stage import Stage
from loadtest.chaos.waiting import Stuck, until

MEMORY = Path("/dev/shm")  # noqa: S108 - only looked at
KNOWN = ".ses"
"""One small file that ONNX Runtime keeps in the folder for temporary files, the same for all its processes."""
MORE_MEMORY, MORE_FILES, MORE_THREADS = 0.5, 24, 8
"""How much more a process may hold at the end than one of its kind at the beginning: as a share, and in number.

Short lives differ; the soak is where memory has to stay flat.
"""

AFTER = 5.0
"""Seconds in which the last processes may follow the server."""

Held = Mapping[str, float]


def shared() -> set[str]:
    """What stands in shared memory."""
    return {file.name for file in MEMORY.iterdir()} if MEMORY.is_dir() else set()


def left(stage: Stage, before: set[str]) -> Iterator[str]:
    """What is still there a while after the end of all servers."""
    with suppress(Stuck):
        until("all have gone", lambda: not any(map(processes.of_session, stage.sessions)), AFTER)
    for session in stage.sessions:
        for pid in processes.of_session(session):
            yield f"process {pid} is left"
    yield from (f"{entry} is left" for entry in stage.temporary.iterdir() if entry.name != KNOWN)
    for name in shared() - before:
        if name.startswith(("wgunicorn", "manifold")):
            yield f"shared memory {name} is left"
    listening = {row.port for row in processes.table() if row.state == processes.LISTENS}
    for port in {stage.door.port, stage.door.grpc_port} & listening:
        yield f"port {port} is still listened on"


def held(pid: int) -> Held:
    """What a process holds."""
    folder = usage.PROC / str(pid)
    return {
        "resident_mb": usage.resident(pid).get(pid, 0.0),
        "files": usage.entries(folder / "fd"),
        "threads": usage.entries(folder / "task"),
    }


def of_all(stage: Stage) -> dict[str, Held]:
    """What the master holds, and of every number the most that a worker does."""
    workers = [held(pid) for pid in stage.living()]
    return {
        "master": held(stage.master),
        "worker": {name: max(one[name] for one in workers) for name in workers[0]},
    }


def grown(first: Mapping[str, Held], last: Mapping[str, Held]) -> Iterator[str]:
    """Which processes hold more than they may."""
    for kind, before in first.items():
        after = last[kind]
        bounds = {
            "resident_mb": before["resident_mb"] * (1 + MORE_MEMORY) + 20,
            "files": before["files"] + MORE_FILES,
            "threads": before["threads"] + MORE_THREADS,
        }
        for name, bound in bounds.items():
            if after[name] > bound:
                yield f"a {kind}'s {name} grew from {before[name]:.0f} to {after[name]:.0f}"
