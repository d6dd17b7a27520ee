"""One of ten tones in noise, 64 samples at 8 kHz: a rule that no linear model can learn.

    signal[t] = loudness · sin(2π · tone · t / 64 + phase) + noise        t = 0 … 63, tone = 1 … 10

    loudness  uniform from 0.5 to 1
    phase     uniform from 0 to 2π, so a signal is as likely as its own negative: of every tone the mean is zero
    noise     N(0, `NOISE`) on every sample

A tone of so many periods in 64 samples has so many times 125 Hz. What tells tones apart is the energy at each
frequency, a sum of two squares. Every signal is drawn afresh, all tones as likely.
"""

from math import pi

import numpy as np
from numpy.typing import NDArray

from training.generators.parts import parts
from training.task import Numbers, Preset, Probabilities, Splits, Table, Task

SAMPLES, HERTZ = 64, 8_000
PERIODS = range(1, 11)
LABELS = tuple(f"{HERTZ * periods // SAMPLES} Hz" for periods in PERIODS)
NOISE = 0.6


def generate(rows: int, seed: int) -> Splits:
    """`rows` signals in all; the same ones for the same seed."""
    return parts(_table, rows, seed)


def tone(periods: NDArray[np.int64], phase: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pure tones of full loudness, (n,) and (n,) to (n, 64)."""
    return np.sin(2 * pi * periods[:, None] * np.arange(SAMPLES) / SAMPLES + phase[:, None])


def _table(rng: np.random.Generator, rows: int) -> Table:
    kinds = rng.integers(len(LABELS), size=rows)
    pure = tone(kinds + PERIODS[0], rng.uniform(0, 2 * pi, rows))
    signal = rng.uniform(0.5, 1, (rows, 1)) * pure + rng.normal(0, NOISE, (rows, SAMPLES))
    return {"signal": list(signal.astype(np.float32)), "tone": [LABELS[kind] for kind in kinds]}


TASK = Task(
    title="Which tone?",
    description="Which of ten tones is heard in 64 noisy samples.",
    inputs={"signal": Numbers("Sound pressure, 64 samples at 8 kHz", dims=(SAMPLES,))},
    outputs={"tone": Probabilities("Frequency of the tone", labels=LABELS)},
    example={"signal": tone(np.array([4]), np.array([1.0]))[0].round(2).tolist()},
    generate=generate,
    data="generated tones of any phase in noise (training/data/classifier.py); synthetic",
    presets={
        "quick": Preset(rows=10_000, epochs=12, batch=32, learning_rate=5e-3, decay=True, patience=12),
        "full": Preset(rows=40_000, epochs=30, batch=32, learning_rate=5e-3, decay=True, patience=30),
    },
    baselines={"tone": "majority"},
)
