"""Questions to an invented product's help desk, each with an article: its own, or one that does not answer it (faq.py).

    question on a topic    its article                       the topic's resolution     `ANSWERED` of the rows
                           another topic's; if the question  escalate                   `MISMATCHED`
                           spares one, that topic's as often
    question outside all   any article                       escalate                   the rest

What matters is whether the two belong together: neither of them alone tells an answered row from a mismatched one.
Nothing leaks: every frame of a sentence belongs to one split. The phrases in them are shared, so that nothing here
measures how well unseen words are understood.
"""

from random import Random

from training.generators.faq import ESCALATE, FRAMES, TOPICS, Frames, another, article, asked, outside
from training.task import Preset, Probabilities, Splits, Table, Task, Tokens

ANSWERED, MISMATCHED = 0.6, 0.3
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def generate(rows: int, seed: int) -> Splits:
    """`rows` rows in all, the splits as `SHARES` says; the same rows for the same seed."""
    return Splits(**{part: _table(Random(f"{part} {seed}"), round(rows * share), FRAMES[part])
                     for part, share in SHARES.items()})  # fmt: skip


def _table(rng: Random, rows: int, frames: Frames) -> Table:
    columns: Table = {"question": [], "article": [], "resolution": []}
    for _ in range(rows):
        for name, value in zip(columns, _row(rng, frames), strict=True):
            columns[name].append(value)
    return columns


def _row(rng: Random, frames: Frames) -> tuple[str, str, str]:
    topic, kind = rng.choice(list(TOPICS)), rng.random()
    if kind >= ANSWERED + MISMATCHED:
        return outside(frames, rng), article(topic, frames, rng), ESCALATE
    spared = another(topic, rng) if rng.random() < 0.5 else None
    question = asked(topic, spared, frames, rng)
    if kind < ANSWERED:
        return question, article(topic, frames, rng), topic
    wrong = spared if spared is not None and rng.random() < 0.5 else another(topic, rng)
    return question, article(wrong, frames, rng), ESCALATE


TASK = Task(
    title="Help desk",
    description="Which resolution a help article gives a question, or escalate: a person must answer, where the two "
    "do not belong together or the model is not sure. The default rows are about one invented lamp: a model of "
    "these knows no other product.",
    inputs={
        "question": Tokens("What a customer asks", words=10_000, max_length=200),
        "article": Tokens("A help article that may answer it", words=10_000, max_length=1_000),
    },
    outputs={"resolution": Probabilities("Resolution", threshold=0.7, otherwise=ESCALATE)},
    example={
        "question": "The payment is fine, but the battery runs down within an hour. What now?",
        "article": "About your charger. First clean the metal contacts, then leave the lamp on its dock overnight. "
        "You should use the cable that came with it and clean the metal contacts.",
    },
    generate=generate,
    data="generated questions and articles about an invented lamp (training/generators/faq.py); no real product's",
    presets={
        "quick": Preset(rows=3_000, epochs=16, batch=32, learning_rate=2e-3, patience=6),
        "full": Preset(rows=20_000, epochs=20, batch=64, learning_rate=2e-3, patience=4),
    },
    baselines={"resolution": "majority"},
)
