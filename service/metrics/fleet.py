"""What is known of the replicas of a fleet, by their addresses."""

from service.metrics.families import FLEET_CALLS, FLEET_SECONDS, FLEET_UP


class ReplicaMetrics:
    """The metrics of one replica."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._seconds = FLEET_SECONDS.labels(address)
        self._up = FLEET_UP.labels(address)

    def call(self, code: str, seconds: float) -> None:
        """A call, by gRPC's name of its code, and what it took."""
        FLEET_CALLS.labels(self._address, code).inc()
        self._seconds.observe(seconds)

    def up(self, answered: float) -> None:
        """1 if it said how it is, 0 if not, NaN once it is none of the fleet."""
        self._up.set(answered)
