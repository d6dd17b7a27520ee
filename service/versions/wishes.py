"""What there is to serve, and what of it is wanted: the store and the policy file, read whenever they are asked."""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from service import files, redact
from service.errors import ServiceError
from service.settings import Settings
from service.versions import policies, store
from service.versions.policies import BadPolicy
from service.versions.policy import Policy, Versions
from service.versions.store import MODEL_NAME, NothingToServe, Version
from service.versions.told import Told

LONGEST = 200
"""Characters of a model's name: it is that of a file, too."""


class CannotWrite(ServiceError):
    """The policy file cannot be written."""

    status = 409
    title = "Policy cannot be written"
    slug = "policy-not-written"


@dataclass(frozen=True)
class Wishes:
    """The models of the store at `root`, or those `named`; `default` versions of each where `file` says nothing."""

    root: Path
    named: tuple[str, ...] = ()
    default: Versions = 1
    file: Path = Path()
    source: str = ""
    """The URL of the store of which `file` is a copy, if it is one."""

    @classmethod
    def of(cls, settings: Settings) -> "Wishes":
        """As the settings have it."""
        return cls(
            settings.folder,
            tuple(settings.model_names),
            settings.versions or "all",
            settings.policy_file,
            settings.policy_source,
        )

    def begin(self) -> dict[str, Told]:
        """What to serve at the start; NothingToServe, BadPolicy."""
        known, begun = policies.read(self.file), {}
        for model, stored in store.stored(self.root, list(self.named)).items():
            policy = known.get(model, Policy())
            chosen = self.choose(policy, stored, Told(), lambda _: True)
            begun[model] = Told(chosen, policy, required=self.requires(model, policy, bool(chosen)))
        return begun

    def versions(self, model: str, numbers: Iterable[int]) -> list[Version]:
        """Versions of a model, whether they are there or not."""
        return [Version(model, number, self.root / model / str(number)) for number in numbers]

    def models(self) -> dict[str, list[Version]]:
        """The versions of every model, newest first; NothingToServe without a store, or OSError."""
        return store.models(self.root, list(self.named))

    def stored(self, model: str) -> list[Version]:
        """The versions of a model that may be served, newest first."""
        known = MODEL_NAME.fullmatch(model) and len(model) <= LONGEST and (not self.named or model in self.named)
        with contextlib.suppress(NothingToServe, OSError):
            return store.models(self.root, [model])[model] if known else []
        return []

    def policy(self, model: str, otherwise: Policy) -> Policy:
        """The model's policy, as of now; `otherwise` while the file says what cannot be."""
        try:
            return policies.read(self.file).get(model, Policy())
        except BadPolicy:
            return otherwise

    def choose(
        self, policy: Policy, stored: list[Version], told: Told, usable: Callable[[Version], bool]
    ) -> tuple[int, ...]:
        """The numbers of the versions to serve: those wanted that are usable; where none is, what was told before."""
        known = {version.number: version for version in stored}
        chosen = policy.choose(known, self.default, lambda number: usable(known[number]))
        if not chosen and policy.versions != ():
            return tuple(number for number in told.versions if number not in known or usable(known[number]))
        return tuple(chosen)

    def requires(self, model: str, policy: Policy, before: bool) -> bool:
        """Whether the service is not ready without a model: one named, or required before, unless it is unloaded."""
        return policy.versions != () and (before or model in self.named)

    def write(self, model: str, change: Callable[[Policy], Policy]) -> None:
        """Change a model's policy in the file, by one rename, one change after another; CannotWrite."""
        try:
            known = policies.read(self.file).get(model, Policy())
            if change(known) == known:
                return
            if self.source:
                raise CannotWrite(f"the policy file is that of {self.source}: change it there, by the command `policy`")
            with self._lock():
                all_known = policies.read(self.file)
                self._replace(all_known | {model: change(all_known.get(model, Policy()))})
        except OSError as error:
            told = f"the policy file cannot be written ({error.strerror}): MANIFOLD_POLICY may name another"
            raise CannotWrite(told) from None
        except BadPolicy as error:
            faults = "; ".join(line.removeprefix(f"{self.file}: ") for line in str(error).splitlines())
            raise CannotWrite(f"the policy file must be mended first: {redact.plain(faults)}") from None

    def _replace(self, changed: Mapping[str, Policy]) -> None:
        documents = {model: policies.document(policy) for model, policy in changed.items()}
        text = json.dumps({model: document for model, document in documents.items() if document}, indent=2)
        with files.replacing(self.file) as file:
            file.write(f"{text}\n".encode())

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        path = self.file.with_name(f".{self.file.name}.lock")
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)
