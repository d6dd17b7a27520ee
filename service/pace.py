"""How long what was predicted really takes. Pure: time is an argument, in seconds on any one clock.

A cost was measured on an idle machine. Under load a batch also waits for the loop, for requests that are read and for
neighbours, so that a queue drains more slowly than its costs say, or, where an engine takes several batches at once,
more quickly. `ratio` is what the last batches took by the clock over what was predicted, a batch's time being counted
from the end of the one before or, if it came later, from its first job's arrival.

Nothing is refused by an estimate that is not `proven`: by some batches, of which the last is not long ago. So a service
that refuses all for a cost that has gone stale soon accepts some, and learns.
"""

MEMORY = 0.9
"""Of each batch, when the next is done: about ten count."""
PROOF = 8
"""So many batches make a proof."""
PROOF_SECONDS = 10.0
"""So long after its last batch an estimate is proven no more."""
JUMP = 4.0
"""Times the ratio before, at most, for one batch: a single stall says little of the next batch."""


class Pace:
    """The ratio of one model's queue."""

    def __init__(self) -> None:
        self.ratio = 1.0
        self._count = 0
        self._predicted = self._took = 0.0
        self._ended = float("-inf")

    def proven(self, now: float) -> bool:
        """Whether an estimate is worth a refusal."""
        return self._count >= PROOF and now - self._ended <= PROOF_SECONDS

    def ended(self, now: float, arrived: float, predicted: float) -> None:
        """A batch is done whose first job arrived then, and which was predicted to take so long."""
        took = now - max(self._ended, arrived)
        if now - self._ended > PROOF_SECONDS:
            self._count, self._predicted, self._took = 0, 0.0, 0.0
        self._ended = now
        if self._count >= PROOF:
            took = min(took, JUMP * self.ratio * predicted)
        self._count += 1
        self._predicted = MEMORY * self._predicted + predicted
        self._took = MEMORY * self._took + took
        if self._predicted > 0:
            self.ratio = self._took / self._predicted
