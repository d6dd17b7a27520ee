"""How long what was predicted really takes. Pure: time is an argument, in seconds on any one clock.

A cost was measured on an idle machine. Under load a call takes longer, by a `ratio`; and between two calls the loop
takes in and answers requests, of this model and of others: a `gap` for each batch, whatever its rows. Both are of the
last batches, and of the last second that had some. Were all of it a ratio, a model whose small batches wait for the
loop would be taken for a slow one, and let in too few to make them larger; were they of fewer seconds, a machine that
gives its time in slices would be taken for a quick one between two stalls, and let in more than it answers. Where an
engine takes several batches at once, a call counts from the end of the one before.

Nothing is refused by an estimate that is not `proven`: by some batches, of which the last is not long ago. So a service
that refuses all for a cost that has gone stale soon accepts some, and learns.
"""

MEMORY = 0.9
"""Of each batch, when the next is done: about ten count, at least."""
SECONDS = 1.0
"""That batches took and which count, at least, however many they were."""
PROOF = 8
"""So many batches make a proof."""
PROOF_SECONDS = 10.0
"""So long after its last batch an estimate is proven no more."""
JUMP = 4.0
"""Times what was expected, or all of SECONDS, for one batch at most: a single stall says little of the next batch."""


class Pace:
    """Of one model's queue."""

    def __init__(self) -> None:
        self.ratio = 1.0
        self.gap = 0.0
        self._count = 0
        self._predicted = self._computed = self._waited = self._batches = 0.0
        self._ended = float("-inf")

    def seconds(self, predicted: float, batches: int) -> float:
        """Of so many batches which were predicted to take so long together."""
        return self.ratio * predicted + self.gap * batches

    def proven(self, now: float) -> bool:
        """Whether an estimate is worth a refusal."""
        return self._count >= PROOF and now - self._ended <= PROOF_SECONDS

    def ended(self, now: float, arrived: float, began: float, predicted: float) -> None:
        """A batch is done whose first job arrived and which began then, and was predicted to take so long."""
        last, self._ended = self._ended, now
        if now - last > PROOF_SECONDS:
            self._count = 0
            self._predicted = self._computed = self._waited = self._batches = 0.0
        computed = now - (max(began, last))
        waited = began - (max(arrived, last))
        if waited < 0:
            waited = 0.0
        if computed + waited > SECONDS and self._count >= PROOF:
            most = max(JUMP * self.seconds(predicted, 1), SECONDS)
            computed, waited = min(computed, most), min(waited, most)
        self._count += 1
        keep = 1.0 - (computed + waited) / SECONDS
        keep = max(keep, MEMORY)
        self._batches = batches = keep * self._batches + 1
        self._predicted = predicted = keep * self._predicted + predicted
        self._computed = computed = keep * self._computed + computed
        self._waited = waited = keep * self._waited + waited
        self.gap = waited / batches
        if predicted > 0:
            self.ratio = computed / predicted
