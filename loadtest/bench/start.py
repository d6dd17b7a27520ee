"""python -m loadtest.bench.start: many models in one process, from the command until all of them are ready.

The store's newest versions, again and again under other names, until there are enough; one worker.
"""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from loadtest.bench import machine, processes
from loadtest.bench.arguments import parser, save
from loadtest.bench.contenders import service
from loadtest.bench.servers import running
from service.versions import store

TARGET = 10.0
"""Seconds, at most."""


def main() -> None:
    """Measure, print, save."""
    given = parser(__doc__, rounds=3, models=50).parse_args()
    folders = named(store.to_serve(given.store, [], 1), given.models)
    rounds = [measure(folders, given.port) for _ in range(given.rounds)]
    document = {"machine": machine.describe(), "models": len(folders), "rounds": rounds}
    save(given.out, "start", document)
    seconds, resident = (statistics.median(one[of] for one in rounds) for of in ("seconds", "resident_mb"))
    print(f"{len(folders)} models in one process: ready after {seconds:.1f} s (target {TARGET:g}), {resident:,.0f} MB")


def named(versions: Sequence[store.Version], count: int) -> Mapping[str, list[Path]]:
    """So many models by name, going round the versions.

    >>> list(named([store.Version("qa", 1, Path("qa/1"))], 2))
    ['qa-1', 'qa-2']
    """
    chosen = itertools.islice(itertools.cycle(versions), count)
    return {f"{version.model}-{number}": [version.folder] for number, version in enumerate(chosen, 1)}


def measure(folders: Mapping[str, list[Path]], port: int) -> dict[str, float]:
    """Seconds until ready, and resident megabytes; SystemExit if one is not served."""
    with TemporaryDirectory() as place:
        command = service(Path(place), port, folders, workers=1)
        with running("manifold", command, port, Path(place)) as server:
            served = requests.get(server.url("/models"), timeout=30).json()
            if len(served) != len(folders):
                raise SystemExit(f"{len(served)} of {len(folders)} models are served")
            resident = sum(processes.resident(server.pid).values())
            return {"seconds": round(server.seconds, 2), "resident_mb": round(resident)}


if __name__ == "__main__":
    main()
