"""The replicas of a fleet as they come and go, and which of them is asked next."""

import itertools
import random
import threading
from collections.abc import Callable, Container, Iterable

from service.engines.tf_serving.replica import Replica


class Members:
    """`join` makes the replica at an address. One that left is let go once its last call is over."""

    def __init__(self, join: Callable[[str], Replica]) -> None:
        self.replicas: list[Replica] = []
        self._join = join
        self._leaving: list[Replica] = []
        self._turns = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = False

    def gather(self, addresses: Iterable[str]) -> None:
        """Be those at these addresses, from now on; nobody, once closed."""
        wanted = dict.fromkeys(addresses)
        known = {replica.address: replica for replica in self.replicas}
        joining = [self._join(address) for address in wanted if address not in known]
        random.shuffle(joining)  # or all workers would ask the same one first
        with self._lock:
            found = [*known.values(), *joining]
            self.replicas = [] if self._closed else [replica for replica in found if replica.address in wanted]
            leaving = self._leaving + [replica for replica in found if replica not in self.replicas]
            self._leaving = [replica for replica in leaving if replica.busy]
        for replica in leaving:
            if not replica.busy:
                replica.leave()

    def take(self, asked: Container[Replica], now: float) -> Replica | None:
        """The one to ask, which is busy until it is given back: with the fewest calls, and of these asked longest ago.

        None if nobody is left who was not `asked`. Where all that are well have an open breaker, none counts: better a
        sick one than nobody.
        """
        with self._lock:
            well = [replica for replica in self.replicas if not replica.trouble and replica not in asked]
            free = [replica for replica in well if replica.breaker.allows(now)] or well
            if not free:
                return None
            chosen = min(free, key=lambda replica: (replica.busy, replica.turn))
            chosen.busy += 1
            chosen.turn = next(self._turns)
            chosen.breaker.begin()
            return chosen

    def give(self, replica: Replica, well: bool | None, now: float) -> None:
        """Its call is over, and says that it is well, or not, or nothing of that."""
        with self._lock:
            replica.busy -= 1
            replica.breaker.end(well, now)

    def blame(self, replica: Replica, now: float) -> None:
        """It has failed at what another could."""
        with self._lock:
            replica.breaker.end(False, now)

    def close(self) -> None:
        """Nobody is asked any more."""
        with self._lock:
            self._closed = True
            gone, self.replicas, self._leaving = self.replicas + self._leaving, [], []
        for replica in gone:
            replica.leave()
