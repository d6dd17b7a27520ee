"""A model version that a fleet of TensorFlow Serving computes."""

from collections.abc import Sequence

from service.engines.base import Engine
from service.engines.tf_serving import messages
from service.engines.tf_serving.fleet import Fleet
from service.engines.tf_serving.messages import Target
from service.tensors import Array, Tensors

DEPTH = 2
"""Batches of one worker that a replica has at once: one computes, the next crosses."""
PATIENCE = 5.0
"""Seconds that a fleet has to load a version that is in the store."""


class TfServingEngine(Engine):
    """The target on a fleet, which it closes; FleetAway if nobody there serves it in time.

    A batch may take so many `seconds`, or what its requests have left, if that is less.
    """

    name = "tf_serving"

    def __init__(self, target: Target, fleet: Fleet, seconds: float, patience: float = PATIENCE) -> None:
        self.device = ", ".join(fleet.names)
        self._target = target
        self._fleet = fleet
        self._seconds = seconds
        try:
            self.signature = fleet.meet(patience)
        except BaseException:
            fleet.close()
            raise
        self.parallel = DEPTH * len(fleet.members.replicas)

    def run(self, tensors: Tensors) -> dict[str, Array]:
        return self.run_within(tensors, self._seconds)

    def run_within(self, tensors: Tensors, seconds: float) -> dict[str, Array]:
        until = self._fleet.clock() + min(seconds, self._seconds)
        return messages.outputs(self._fleet.run(self._target.request(tensors), until), self.signature)

    def absent(self) -> str:
        """Why no replica answers; one is enough."""
        return self._fleet.trouble()

    def close(self) -> None:
        self._fleet.close()


def engine(model: str, version: int, names: Sequence[str], seconds: float) -> TfServingEngine:
    """For a model's version on the servers behind `names`, each "host:port"."""
    target = Target(model, version)
    fleet = Fleet(names, target)
    made = TfServingEngine(target, fleet, seconds)
    fleet.start()
    return made
