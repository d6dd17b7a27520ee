"""A store at a URL as a folder that says which versions there are, so that its policies are changed as any other's."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.storage.remote import Away, Entry, Remote, connect
from service.storage.whole import MODEL
from service.versions.policies import FILE
from service.versions.policy import Policy
from service.versions.store import VERSION
from service.versions.wishes import CannotWrite, Wishes


@dataclass(frozen=True)
class Outline(Wishes):
    """Wishes that are sent where they came from."""

    send: Callable[[], None] = lambda: None

    def write(self, model: str, change: Callable[[Policy], Policy]) -> None:
        super().write(model, change)
        self.send()


@contextlib.contextmanager
def outline(wishes: Wishes, model: str, remote: Remote | None = None) -> Iterator[Wishes]:
    """The wishes of a model of their source, to be read and changed; CannotWrite, also if others do so meanwhile."""
    remote = remote or connect(wishes.source)
    with tempfile.TemporaryDirectory(prefix="manifold-") as name:
        folder = Path(name)
        file = folder / FILE

        def send() -> None:
            if remote.ls().files.get(FILE) != entry:
                raise CannotWrite(f"{wishes.source}/{FILE} has changed meanwhile: try again")
            remote.write(FILE, str(file))

        try:
            entry = listed(remote, model, folder)
            if entry:
                file.write_bytes(b"".join(remote.read(FILE, entry.size)))
            yield Outline(folder, wishes.named, wishes.default, file, send=send)
        except (Away, FileNotFoundError) as error:
            raise CannotWrite(f"{wishes.source}: {error}") from None


def listed(remote: Remote, model: str, folder: Path) -> Entry | None:
    """Lay out the versions of a model as the store has them; its policy file. Away, FileNotFoundError."""
    root = remote.ls()
    numbers = remote.ls(model).folders if model in root.folders else []
    for number in filter(VERSION.fullmatch, numbers):
        place = folder / model / number
        place.mkdir(parents=True)
        (place / MODEL).touch()
    return root.files.get(FILE)
