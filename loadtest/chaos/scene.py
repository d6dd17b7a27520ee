"""What a fault has to work with, and what a fault is."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadtest.chaos import processes
from loadtest.chaos.checker import Checker
from loadtest.chaos.probe import Probe
from loadtest.chaos.questions import Question
from loadtest.chaos.stage import QUICK, SLOW, Stage
from loadtest.chaos.waiting import until


@dataclass
class Scene:
    """What a fault has to work with."""

    stage: Stage
    checker: Checker
    probe: Probe
    questions: Sequence[Question]
    rng: random.Random

    def newest(self) -> Mapping[str, int]:
        """What every model must be answered by."""
        return {model: max(self.checker.versions.now(model)) for model in self.models()}

    def models(self) -> list[str]:
        """The models that clients ask."""
        return sorted({question.model for question in self.questions})

    def victim(self) -> int:
        """One of the workers."""
        return self.rng.choice(self.stage.living())

    def devices(self) -> list[int]:
        """The processes of all devices, once there are as many as at the start."""
        stage = self.stage
        until(
            "every device has a process", lambda: len(processes.devices(stage.master, stage.door.port)) >= stage.devices
        )
        return processes.devices(stage.master, stage.door.port)

    def both(self, model: str) -> Sequence[int]:
        """The versions that questions of a model know, the first one first."""
        return sorted(next(question.answers for question in self.questions if question.model == model))

    def model(self) -> str:
        """One of the models that have two versions."""
        return self.rng.choice([model for model in self.models() if model not in (QUICK, SLOW)])


@dataclass(frozen=True)
class Fault:
    """`act` does it, and returns the time.monotonic() second from which recovery counts, or None: from its beginning.

    `excuses` are what clients may get from the beginning until everything is as it should be again.
    """

    name: str
    act: Callable[[Scene], float | None]
    excuses: Sequence[int | str] = ()
    crowded: bool = False
    """Whether many requests are to be in flight when it comes."""
    bound: float = 5.0
    """Seconds from its end until every worker answers every model rightly, at most, on a machine that is not busy."""
