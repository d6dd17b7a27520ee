"""Nine votes, for or against, and what most of them say; every ballot is as likely as any other.

There are only 2⁹ = 512 ballots. Each belongs to one split, where it may be cast several times: the test rows are
ballots that no training row showed.
"""

import numpy as np
from numpy.typing import NDArray

from training.generators.parts import SHARES
from training.task import Numbers, Preset, Probability, Splits, Table, Task

VOTES = 9
LABELS = ("no", "yes")


def generate(rows: int, seed: int) -> Splits:
    """`rows` ballots in all, drawn from 358, 52 and 102 different ones; the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    bounds = np.cumsum(list(SHARES.values()))[:-1] * 2**VOTES
    own = np.split(rng.permutation(2**VOTES), bounds.round().astype(int))
    shared = zip(SHARES.items(), own, strict=True)
    return Splits(**{part: _table(rng.choice(codes, round(rows * share))) for (part, share), codes in shared})


def _table(codes: NDArray[np.int64]) -> Table:
    """A ballot is the binary digits of its code, (n,) to (n, 9)."""
    votes = codes[:, None] >> np.arange(VOTES) & 1
    most = votes.sum(axis=1) > VOTES / 2
    return {"votes": list(votes.astype(np.float32)), "majority": [LABELS[yes] for yes in most.astype(int)]}


TASK = Task(
    title="Majority vote",
    description="What most of nine voters say, by one neuron.",
    inputs={"votes": Numbers("Nine votes, 1 for and 0 against", dims=(VOTES,), minimum=0, maximum=1)},
    outputs={"majority": Probability("Is the majority for it?", labels=LABELS)},
    example={"votes": [1, 1, 0, 1, 0, 1, 1, 0, 0]},
    generate=generate,
    data="generated ballots of nine independent votes; synthetic",
    presets={
        "quick": Preset(rows=2_000, epochs=12, batch=16, learning_rate=0.05, patience=12),
        "full": Preset(rows=10_000, epochs=30, batch=16, learning_rate=0.05, patience=30),
    },
    baselines={"majority": "majority"},
)
