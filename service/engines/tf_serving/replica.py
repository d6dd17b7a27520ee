"""One server of the fleet, as far as one model version on it goes: is it well, and what does it answer."""

import logging
import time
from collections.abc import Callable

from service.batching.batcher import Clock
from service.engines.tf_serving import messages
from service.engines.tf_serving.breaker import Breaker
from service.engines.tf_serving.failures import Failed
from service.engines.tf_serving.link import Answer, Link
from service.engines.tf_serving.messages import AVAILABLE, OtherModel, Target
from service.metrics.fleet import ReplicaMetrics
from service.signature import Signature

LOG = logging.getLogger("manifold.fleet")

PATIENCE = 3.0
"""Seconds that a replica has to say how it is."""
MISSES = 2
"""So often in a row it may not say it, until what it has is given up."""

Connect = Callable[[str], Link]


class Replica:
    """At one address, "host:port". `trouble` is why it cannot be asked, "" as long as it can."""

    def __init__(self, address: str, target: Target, connect: Connect, clock: Clock = time.monotonic) -> None:
        self.address = address
        self.trouble = f"{address} has not answered yet"
        self.signature: Signature | None = None
        self.breaker = Breaker()
        self.busy = 0
        self.turn = 0
        self._target = target
        self._connect = connect
        self._clock = clock
        self._link = connect(address)
        self._misses = 0
        self._left = False
        self._metrics = ReplicaMetrics(address)

    def run(self, request: bytes, seconds: float) -> bytes:
        """The response to a PredictRequest; Failed."""
        started, code = self._clock(), "OK"
        try:
            return self._link.call(messages.PREDICT, request, seconds)
        except Failed as failed:
            code = failed.code
            raise
        finally:
            self._metrics.call(code, self._clock() - started)

    def ask(self) -> Answer:
        """Ask how it is; `hear` takes the answer."""
        return self._link.begin(messages.STATUS, self._target.status, PATIENCE)

    def hear(self, answer: Answer, expected: Signature | None) -> None:
        """How it is, from now on; a model of any other than the expected signature is none of ours."""
        try:
            state = self._target.state(answer())
            self._misses = 0
            self._up(1)
            trouble = "" if state == AVAILABLE else f"{self._target.name} is {state or 'not there'}"
            if not trouble and self.trouble:
                trouble = self._meet(expected)
        except Failed as failed:
            trouble = str(failed)
            self._miss(failed)
        except OtherModel as other:
            trouble = str(other)
        except Exception as error:  # what listens there may be anything; the others must be heard all the same
            trouble = f"what it says is nothing of TensorFlow Serving's ({type(error).__name__})"
            self._up(0)
        self._tell(f"{self.address}: {trouble}" if trouble else "")

    def suspect(self, failed: Failed) -> None:
        """A call failed so that it must not be asked before it was heard again."""
        self.trouble = f"{self.address}: {failed}"

    def leave(self) -> None:
        """It is no longer one of the fleet, or nobody asks that any more; others of its address tell of themselves."""
        self._up(float("nan"))
        self._left = True
        self._link.close()

    def _meet(self, expected: Signature | None) -> str:
        """See what it serves, whenever it comes; what is wrong with that, if anything."""
        found = messages.signature(self._link.call(messages.METADATA, self._target.metadata, PATIENCE))
        if expected is not None and found != expected:
            return f"its {self._target.name} is another model: the signatures differ"
        self.signature = found
        return ""

    def _miss(self, failed: Failed) -> None:
        """It has not said how it is: one that hangs does not even break the calls it holds, so they are broken here."""
        self._up(failed.code == "NOT_FOUND")
        self._misses = self._misses + 1 if failed.code == "DEADLINE_EXCEEDED" else 0
        if self._misses == MISSES and not self._left:
            hung, self._link, self._misses = self._link, self._connect(self.address), 0
            hung.close()

    def _up(self, answered: float) -> None:
        if not self._left:  # an answer that comes later would be the last word of it
            self._metrics.up(answered)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            LOG.warning("%s: left alone: %s", self._target.name, trouble)
        elif self.trouble and not trouble:
            LOG.info("%s: %s answers", self._target.name, self.address)
        self.trouble = trouble
