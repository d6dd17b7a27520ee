"""The servers that have one model version: found by name, watched, asked in turns, and asked again where that is safe.

Predict changes nothing, so that to ask another replica is wrong in one case only: the batch is what killed the first.
So one that broke is sent once more, and no further; if it takes the second replica along, then for DOUBT seconds no
batch that breaks is sent again.
"""

import logging
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from service.batching.batcher import Clock
from service.engines.tf_serving.failures import Again, Failed
from service.engines.tf_serving.link import Channel
from service.engines.tf_serving.members import Members
from service.engines.tf_serving.messages import Target
from service.engines.tf_serving.names import Resolve, addresses
from service.engines.tf_serving.replica import Connect, Replica
from service.errors import DeadlineExceeded, ModelNotReady, ServiceError
from service.signature import Signature

LOG = logging.getLogger("manifold.fleet")

LOOK = 2.0
"""Seconds between two looks at all replicas, unless a call broke."""
REST = 0.1
"""Seconds between two looks, at least."""
DOUBT = 60.0


class FleetAway(ServiceError):
    """No replica serves the version; one may later."""


class Network(NamedTuple):
    """What lies between this process and the fleet."""

    connect: Connect = Channel
    resolve: Resolve = addresses
    clock: Clock = time.monotonic


class Fleet:
    """Of a target, behind `names`, each "host:port". Looked at once when it is met, and for ever once it is started."""

    def __init__(self, names: Sequence[str], target: Target, network: Network = Network()) -> None:  # noqa: B008
        self.names = names
        self.signature: Signature | None = None
        self.clock = network.clock
        self.members = Members(lambda address: Replica(address, target, network.connect, network.clock))
        self._target = target
        self._resolve = network.resolve
        self._found: dict[str, list[str]] = {}
        self._doubts_until = float("-inf")
        self._wake = threading.Event()
        self._closed = threading.Event()

    def meet(self, patience: float) -> Signature:
        """What the fleet serves, as soon as a replica does; FleetAway if none does in so many seconds."""
        until = self.clock() + patience
        self.look()
        while self.signature is None:
            if self.clock() >= until:
                raise FleetAway(self.trouble())
            self._closed.wait(REST)
            self.look()
        return self.signature

    def start(self) -> None:
        """Look again and again, on a thread of its own."""
        threading.Thread(target=self._look_on, name="fleet", daemon=True).start()

    def look(self) -> None:
        """Find who is there, and ask all of them at once how they are."""
        self.members.gather(self._addresses())
        for replica, answer in [(replica, replica.ask()) for replica in self.members.replicas]:
            replica.hear(answer, self.signature)
            self.signature = self.signature or replica.signature

    def trouble(self) -> str:
        """Why nobody can be asked; one that can is enough."""
        troubles = [replica.trouble for replica in self.members.replicas]
        return "" if "" in troubles else "; ".join(troubles) or f"there is nobody at {', '.join(self.names)}"

    def run(self, request: bytes, until: float) -> bytes:
        """The response to a PredictRequest, by a second of the clock; ServiceError."""
        asked: dict[Replica, Failed] = {}
        while (replica := self.members.take(asked, self.clock())) is not None:
            try:
                response = self._ask(replica, request, until)
            except Failed as failed:
                if not self._goes_on(failed, asked.values()):
                    raise failed.error(replica.address) from None
                asked[replica] = failed
            else:
                for other, why in asked.items():
                    if why.suspicious:
                        self.members.blame(other, self.clock())
                return response
        if not asked:
            raise ModelNotReady(self.trouble())
        last, why = min(asked.items(), key=lambda one: one[1].again is Again.FREELY)
        raise why.error(last.address)

    def close(self) -> None:
        """Look no more, and let go of all connections."""
        self._closed.set()
        self._wake.set()
        self.members.close()

    def _ask(self, replica: Replica, request: bytes, until: float) -> bytes:
        well: bool | None = None
        try:
            left = until - self.clock()
            if left <= 0:
                raise DeadlineExceeded("the request waited longer than it allows")
            response = replica.run(request, left)
            well = True
        except Failed as failed:
            well = failed.well
            if failed.broke or failed.absent:
                replica.suspect(failed)
                self._wake.set()
            raise
        finally:
            self.members.give(replica, well, self.clock())
        return response

    def _goes_on(self, failed: Failed, before: Collection[Failed]) -> bool:
        """Whether a batch that failed so may go to another replica, after all that failed before."""
        if failed.again is not Again.ONCE:
            return failed.again is Again.FREELY
        earlier = [one for one in before if one.again is Again.ONCE]
        if failed.broke and any(one.broke for one in earlier):
            self._doubts_until = self.clock() + DOUBT
            LOG.error("%s: a batch broke with two replicas; for %g s none is sent again", self._target.name, DOUBT)
        return not earlier and not (failed.broke and self.clock() < self._doubts_until)

    def _look_on(self) -> None:
        while not self._closed.wait(REST):
            self._wake.wait(LOOK)
            self._wake.clear()
            try:
                self.look()
            except Exception:
                LOG.exception("%s: the fleet could not be looked at", self._target.name)

    def _addresses(self) -> Iterable[str]:
        """Of all names; of one that cannot be resolved just now, as before."""
        for name in self.names:
            try:
                self._found[name] = self._resolve(name)
            except OSError as error:
                if name not in self._found:
                    LOG.warning("%s: %s", name, error.strerror or error)
            yield from self._found.get(name, ())
