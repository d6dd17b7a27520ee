"""Which version is asked, and how it is loaded here: as a worker does, with all cores and no limit to what may wait."""

from dataclasses import replace

from service import loading, redact
from service.batching.drivers import ThreadDriver
from service.errors import ModelNotFound, ServiceError, VersionNotFound
from service.handle import ModelHandle
from service.predict.complaints import BadCommand, BadFile
from service.settings import LARGEST, Settings
from service.storage.keeper import pull
from service.storage.location import is_url
from service.versions import policies
from service.versions.operate import answering
from service.versions.policy import Policy
from service.versions.store import Version
from service.versions.wishes import Wishes
from service.wording import nearest

UNLIMITED = 10**9


def load(chosen: Settings, model: str | None, number: int | None, label: str | None) -> ModelHandle:
    """The handle of a model's version; ModelNotFound, VersionNotFound, or whatever else keeps it from answering."""
    version, policy = find(chosen, model, number, label)
    settings = replace(
        chosen, workers=1, max_queue_rows=UNLIMITED, max_queue_bytes=LARGEST, max_wait=UNLIMITED, drift=0.0
    )
    try:
        handle = loading.load(version, settings, lambda _: ThreadDriver)
    except ServiceError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {redact.line(str(error))}"
        raise BadFile(f"{version.model}, version {version.number}, cannot be loaded: {told}") from error
    handle.batcher.refuses_not_finite = policy.nan == "refuse"
    return handle


def find(chosen: Settings, model: str | None, number: int | None, label: str | None) -> tuple[Version, Policy]:
    """The version of that number or label, else the one a server would answer with; and the model's policy.

    BadCommand names all models where none is named.
    """
    if is_url(chosen.store):
        pull(chosen)
    wishes = Wishes.of(chosen)
    known = {name: versions for name, versions in wishes.models().items() if versions}
    if not model:
        there = ", ".join(known) or "none"
        raise BadCommand(f"which model? In the store {chosen.store} there is {there}")
    if model not in known:
        hint = nearest(model, list(known), "models") if known else ": it holds none"
        raise ModelNotFound(f"the store {chosen.store} has no model {model!r}{hint}")
    policy = policies.read(wishes.file).get(model, Policy())
    stored = {version.number: version for version in known[model]}
    if label is not None:
        number = policy.labelled(model, label)
    if number is None:
        number = answering(policy, list(stored), wishes.default)
    if number not in stored:
        raise VersionNotFound(f"{model} has no version {number}; there is {', '.join(map(str, stored))}")
    return stored[number], policy
