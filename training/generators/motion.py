"""What a sensor at the hip feels of a person's movement, by the physics of it, and what the movement costs.

The specific force in g, 50 times a second: at rest it is the reaction to gravity, 1 g upwards; in free fall nothing.
The body's axes are forward, left, up. Each person wears the sensor askew, its own way; it is noisy and off by a bit.

    lying, sitting          gravity alone, along the ground or a little tilted, with breath and small movements
    walking, stairs         the trunk rises and falls with every step, sways once per two steps, pushes off unevenly
    running, jumping        a bouncing mass, in flight and then in contact for half a sine: the mean over a period must
                            be 1 g, so the shorter the contact, a share d of it, the higher the peak, π / (2 d) g
    cycling                 leaning forward, a small sway per turn of the pedals, and the road's shaking

`PACES` has what each pace costs in MET (1 MET: 1 kcal an hour for each kg of body mass), as published in the Compendium
of Physical Activities (Ainsworth et al. 2011, Med Sci Sports Exerc 43(8):1575–1581) under the codes named there;
between two of them the cost is interpolated. How cadence and amplitude grow with pace is this module's own rule.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE, STEPS = 50, 128
"""Readings a second, and of one window: 2.56 s."""
MASS = 70.0
"""Of the reference person, in kg: no sensor knows it."""

PACES: dict[str, tuple[tuple[float, float], ...]] = {
    "lying": ((0, 1.0),),  # 07010, lying quietly and watching television
    "sitting": ((0, 1.3),),  # 07021, sitting quietly, general
    "walking": ((2.0, 2.8), (2.5, 3.0), (3.0, 3.5), (3.5, 4.3), (4.0, 5.0)),  # mph: 17152, 17170, 17190, 17200, 17220
    "stairs": ((0, 4.0), (1, 8.8)),  # slow and fast: 17133, 17134
    "running": ((4, 6.0), (5, 8.3), (6, 9.8), (7, 11.0), (8, 11.8)),  # mph: 12029, 12030, 12050, 12070, 12090
    "cycling": ((9, 4.0), (11, 6.8), (13, 8.0)),  # mph, one in each class: 01010, 01020, 01030
    "jumping": ((90, 8.8), (110, 11.8), (140, 12.3)),  # turns of the rope a minute, likewise: 15552, 15551, 15550
}
ACTIVITIES = tuple(PACES)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Person:
    """How one person moves and wears the sensor: factors about 1, and the sensor's axes and errors."""

    cadence: float
    vigour: float
    sway: float
    axes: Floats  # (3, 3), a rotation
    offset: Floats  # (3,), g
    noise: float  # g


def draw(rng: np.random.Generator) -> Person:
    """A person of their own; the sensor is turned by up to some 40° and shifted by some hundredths of g."""
    return Person(
        cadence=float(rng.normal(1, 0.07)),
        vigour=float(np.exp(rng.normal(0, 0.22))),
        sway=float(np.exp(rng.normal(0, 0.3))),
        axes=turn(rng.uniform(-0.7, 0.7), rng.uniform(-0.35, 0.35), rng.uniform(-0.35, 0.35)),
        offset=rng.normal(0, 0.02, 3),
        noise=float(rng.uniform(0.01, 0.06)),
    )


def window(person: Person, activity: str, pace: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """What the sensor reads of it, (128, 3) in g; `pace` from 0, the slowest of the table, to 1, the fastest."""
    time = np.arange(STEPS) / RATE
    force = MOVEMENTS[activity](person, pace, time, rng)  # (128, 3) forward, left, up
    force += rng.normal(0, person.noise, force.shape)
    return np.asarray(force @ person.axes.T + person.offset, np.float32)


def met(activity: str, pace: float) -> float:
    """The published cost at a pace from 0 to 1, interpolated."""
    paces, costs = zip(*PACES[activity], strict=True)
    return float(np.interp(paces[0] + pace * (paces[-1] - paces[0]), paces, costs))


def energy(cost: float) -> float:
    """What one minute at a cost in MET takes the reference person, in kcal."""
    return cost * MASS / 60


def _lying(person: Person, pace: float, time: Floats, rng: np.random.Generator) -> Floats:
    side = rng.uniform(0, 2 * np.pi)  # Supine, prone or on a side.
    lies = turn(0, rng.normal(0, 0.3), rng.normal(0, 0.3)) @ np.array([np.cos(side), np.sin(side), 0])
    return np.asarray(lies + _rest(0.01, time, rng))


def _sitting(person: Person, pace: float, time: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(turn(0, rng.normal(0, 0.35), rng.normal(0, 0.15)) @ np.array([0, 0, 1]) + _rest(0.02, time, rng))


def _rest(size: float, time: Floats, rng: np.random.Generator) -> Floats:
    """Breath at a quarter of a hertz, and now and then a slow shift."""
    breath = size * np.sin(2 * np.pi * rng.uniform(0.2, 0.3) * time + rng.uniform(0, 7))
    shift = rng.normal(0, 2 * size, 3) * np.exp(-(((time - rng.uniform(0, 2.56)) / 0.3) ** 2))[:, None]
    return np.asarray(breath[:, None] * [0.5, 0.2, 1.0] + shift)


def _walking(person: Person, pace: float, time: Floats, rng: np.random.Generator) -> Floats:
    phase = _phase((1.55 + 0.65 * pace) * person.cadence, time, rng)
    return _step(person, phase, rise=0.14 + 0.26 * pace, push=0.5)


def _stairs(person: Person, pace: float, time: Floats, rng: np.random.Generator) -> Floats:
    phase = _phase((1.1 + 0.9 * pace) * person.cadence, time, rng)
    return _step(person, phase, rise=0.18 + 0.2 * pace, push=0.3)


def _step(person: Person, phase: Floats, rise: float, push: float) -> Floats:
    """The trunk rises and falls by `rise` g, of which it pushes forward and brakes by a share."""
    rise *= person.vigour
    up = 1 + rise * (np.sin(phase) + 0.4 * np.sin(2 * phase + 1.0) + 0.2 * np.sin(3 * phase + 2.0))
    forward = push * rise * (np.sin(phase + 1.4) + 0.5 * np.sin(2 * phase))
    return np.stack([forward, 0.35 * rise * person.sway * np.sin(phase / 2), up], axis=1)


def _running(person: Person, pace: float, time: Floats, rng: np.random.Generator) -> Floats:
    phase = _phase((2.45 + 0.55 * pace) * person.cadence, time, rng)
    up = _bounce(phase, 0.8 - 0.25 * pace * person.vigour)
    forward = (0.25 + 0.25 * pace) * person.vigour * np.sin(phase + 1.4)
    return np.stack([forward, 0.35 * person.sway * np.sin(phase / 2), up], axis=1)


def _jumping(person: Person, pace: float, time: Floats, rng: np.random.Generator) -> Floats:
    phase = _phase((90 + 50 * pace) / 60 * person.cadence, time, rng)
    up = _bounce(phase, 0.55 - 0.1 * person.vigour * (1 - pace))
    return np.stack([0.1 * np.sin(phase + 0.5), 0.05 * person.sway * np.sin(phase), up], axis=1)


def _cycling(person: Person, pace: float, time: Floats, rng: np.random.Generator) -> Floats:
    phase = _phase((0.9 + 0.7 * pace) * person.cadence, time, rng)
    size = (0.03 + 0.08 * pace) * person.vigour
    moves = np.stack([0.6 * size * np.sin(2 * phase), size * person.sway * np.sin(phase), size * np.sin(2 * phase + 1)])
    road = rng.normal(0, rng.uniform(0, 0.06) + 0.02 * pace, (3, len(time)))
    return np.asarray(turn(0, rng.normal(0.4, 0.15), 0) @ np.array([0, 0, 1]) + (moves + road).T)


def _bounce(phase: Floats, contact: float) -> Floats:
    """Up to the mean of 1 g: half a sine for a share of each period, and nothing in flight."""
    share = (phase / (2 * np.pi)) % 1 / contact
    return np.asarray(np.where(share < 1, np.pi / (2 * contact) * np.sin(np.pi * np.minimum(share, 1)), 0.0))


def _phase(cadence: float, time: Floats, rng: np.random.Generator) -> Floats:
    """Of a rhythm that is not quite even."""
    drift = np.cumsum(rng.normal(0, 0.03, len(time)))
    return np.asarray(2 * np.pi * cadence * time + rng.uniform(0, 4 * np.pi) + drift)


def turn(yaw: float, pitch: float, roll: float) -> Floats:
    """The rotation (3, 3) by these angles, in radians, about the axes up, left and forward."""
    (a, b, c), (p, q, r) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    up = np.array([[a, -p, 0], [p, a, 0], [0, 0, 1]])
    left = np.array([[b, 0, q], [0, 1, 0], [-q, 0, b]])
    forward = np.array([[1, 0, 0], [0, c, -r], [0, r, c]])
    return np.asarray(up @ left @ forward)


MOVEMENTS = {
    "lying": _lying,
    "sitting": _sitting,
    "walking": _walking,
    "stairs": _stairs,
    "running": _running,
    "cycling": _cycling,
    "jumping": _jumping,
}
