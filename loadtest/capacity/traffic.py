"""A day of requests: a curve over the hours, times bursts that come and go (a Markov-modulated Poisson process)."""

from dataclasses import dataclass

import numpy as np

from loadtest.capacity.worker import Floats

DAY = 86_400
HOUR = 3_600


@dataclass(frozen=True)
class Traffic:
    """Requests a second at the peak hour, the night's share of that, and bursts: so many times as much for so long,
    with so long between two, in seconds on average (both exponential)."""

    peak: float
    night: float = 0.25
    peak_hour: float = 20.0
    burst: float = 2.0
    lasts: float = 240.0
    apart: float = 2400.0

    def rates(self, seed: int, seconds: int = DAY) -> Floats:
        """Requests a second, for every second."""
        at = np.arange(seconds)
        swing = (1 + np.cos(2 * np.pi * (at / HOUR - self.peak_hour) / 24)) / 2
        return self.peak * (self.night + (1 - self.night) * swing) * self.bursts(seed, seconds)

    def bursts(self, seed: int, seconds: int) -> Floats:
        """1 or `burst`, for every second; it begins calm."""
        rng = np.random.default_rng(seed)
        found = np.ones(seconds)
        now = rng.exponential(self.apart)
        while now < seconds:
            end = now + rng.exponential(self.lasts)
            found[int(now) : int(end)] = self.burst
            now = end + rng.exponential(self.apart)
        return found
