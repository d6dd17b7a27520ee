"""What the workers of a server tell each other: a file per model in a folder of their own, replaced by one rename.

Who changes a model holds its lock, who follows shares it: changes come one after another, and the last one stands.
"""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.versions import policies
from service.versions.policy import Policy
from service.versions.store import MODEL_NAME
from service.versions.verdict import Verdict

BEGUN = ".begun"
LEADER = ".leader"
SERVING = ".serving"


@dataclass(frozen=True)
class Told:
    """The versions of a model that every worker serves, under which policy, and those that were refused.

    A model that is not `required` came to a running server: that it cannot be served leaves the others ready.
    """

    versions: tuple[int, ...] = ()
    policy: Policy = field(default_factory=Policy)
    refused: Mapping[int, Verdict] = field(default_factory=dict)
    required: bool = False


class Folder:
    """The files in `path`, which is made if it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._led: list[int] = []
        self._joined: list[int] = []
        path.mkdir(parents=True, exist_ok=True)

    def there(self) -> bool:
        """Whether the server goes on: once it has ended, its folder is gone."""
        return self._path.is_dir()

    def models(self) -> list[str]:
        """The models that anything was told of."""
        return sorted(file.name for file in self._path.iterdir() if MODEL_NAME.fullmatch(file.name) and file.is_file())

    def text(self, model: str) -> str:
        """What was told last, another text each time; "" for nothing."""
        try:
            return (self._path / model).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def tell(self, model: str, told: Told) -> str:
        """Replace what was told of a model; its text."""
        document = {
            "id": secrets.token_hex(8),
            "versions": told.versions,
            "policy": policies.document(told.policy),
            "refused": dict(told.refused),
            "required": told.required,
        }
        written = self._path / f".{model}.new"
        written.write_text(json.dumps(document), encoding="utf-8")
        written.replace(self._path / model)
        return self.text(model)

    @contextlib.contextmanager
    def lock(self, model: str, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
        """Hold or share the lock of a model, across threads and workers."""
        with (self._path / f".{model}.lock").open("w") as file:
            fcntl.flock(file, kind)
            yield

    @contextlib.contextmanager
    def beginning(self) -> Iterator[bool]:
        """Whether nobody has told anything yet; whoever else begins waits meanwhile."""
        with self.lock(BEGUN):
            yield not (self._path / BEGUN).exists()
            (self._path / BEGUN).touch()

    def leads(self) -> bool:
        """Whether this worker is the one that looks at the store: the first that asks, until it ends."""
        if not self._led:
            with contextlib.suppress(BlockingIOError):
                self._led.append(self._locked(LEADER, fcntl.LOCK_EX | fcntl.LOCK_NB))
        return bool(self._led)

    def join(self) -> None:
        """Be one of the workers that serve, until the end; waits for who asks just now whether there are others."""
        self._joined.append(self._locked(SERVING, fcntl.LOCK_SH))

    def others(self) -> bool:
        """Whether other workers serve."""
        try:
            os.close(self._locked(SERVING, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        """Neither lead nor serve any longer."""
        for held in (self._led, self._joined):
            while held:
                os.close(held.pop())

    def _locked(self, name: str, kind: int) -> int:
        """A file that is locked as long as it is open; BlockingIOError where the kind says so."""
        file = os.open(self._path / name, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, kind)
        except OSError:
            os.close(file)
            raise
        return file


def line(told: Told) -> str:
    """For a log: what all serve from now on, and what they were told of the model.

    >>> line(Told((3, 1), Policy(shadow=1), {4: Verdict("broken", "no file")}))
    'all workers serve 3, 1; policy {"shadow": 1}; refused 4 (broken)'
    >>> line(Told())
    'all workers serve nothing'
    """
    policy = policies.document(told.policy)
    parts = [f"all workers serve {', '.join(map(str, told.versions)) or 'nothing'}"]
    parts += [f"policy {json.dumps(policy)}"] if policy else []
    parts += [f"refused {number} ({verdict.reason})" for number, verdict in told.refused.items()]
    return "; ".join(parts)


def parse(text: str) -> Told:
    """What a text tells; nothing was told by ""."""
    if not text:
        return Told()
    document = json.loads(text)
    policy = policies.build(document["policy"], "", [])
    refused = {int(number): Verdict(*refusal) for number, refusal in document["refused"].items()}
    return Told(tuple(document["versions"]), policy, refused, document["required"])
