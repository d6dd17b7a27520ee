"""Admits a request by what its key may do, or refuses it and says why; no message and no log line holds a key."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from service.access.keyring import Keyring
from service.access.keys import Key, Scope
from service.access.places import Places
from service.errors import Forbidden, KeyBusy, Unauthenticated
from service.wording import MOST_ECHOED

BEARER = "bearer "

Leave = Callable[[], None]
"""To be called once a request is answered."""


class Guard:
    """Asked once for every request that is not open to all; `folder` is shared by the workers of one server."""

    def __init__(self, keyring: Keyring, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._keyring = keyring
        self._folder = folder
        self._clock = clock
        self._places: dict[tuple[bytes, int], Places] = {}

    def identify(self, authorization: str | None, api_key: str | None) -> Key:
        """The key that a request shows; Unauthenticated.

        `authorization` is "Bearer KEY"; of any other kind it is not for us, and `api_key` counts.
        """
        secret = authorization[7:] if authorization and is_bearer(authorization) else api_key
        if not secret:
            raise Unauthenticated("a key is needed: send it as Authorization: Bearer KEY, or as X-Api-Key: KEY")
        key = self._keyring.find(secret)
        if key is None:
            raise Unauthenticated("the key is not known here")
        if key.expires is not None and key.expires <= self._clock():
            raise Unauthenticated("the key has expired")
        return key

    def enter(self, key: Key, scope: Scope, model: Callable[[], str | None] | None) -> Leave | None:
        """Let a key do this, with this model (None: with what shows all of them); Forbidden, KeyBusy.

        Without `model` it is about those of the key alone. What to call once it is answered, if anything.
        """
        if scope not in key.scopes:
            raise Forbidden(f"the key {key.name} has no scope {scope.value}, which this needs")
        if key.models is not None and model is not None:
            check_model(key.name, key.models, model())
        if key.concurrency is None:
            return None
        places = self._of(key.digest, key.concurrency)
        place = places.take()
        if place is None:
            raise KeyBusy(f"{key.concurrency} requests of the key {key.name} are being answered, as many as may be")
        return partial(places.leave, place)

    def _of(self, digest: bytes, count: int) -> Places:
        """The places of a key, made when first asked for."""
        found = self._places.get((digest, count))
        if found is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            found = self._places.setdefault((digest, count), Places(self._folder / digest.hex()[:32], count))
        return found


def is_bearer(authorization: str | None) -> bool:
    """Whether a header shows a key of ours, right or wrong."""
    return authorization is not None and authorization[:7].lower() == BEARER


def check_model(name: str, models: frozenset[str], model: str | None) -> None:
    """Forbidden, unless a key is for this model."""
    if model not in models:
        asked = "all models" if model is None else f"the model {model[:MOST_ECHOED]!r}"
        raise Forbidden(f"the key {name} may not ask for {asked}, only for {', '.join(sorted(models))}")
