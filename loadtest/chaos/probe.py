"""Whether every worker answers every model rightly again."""

import time
from collections.abc import Mapping, Sequence

from loadtest.bench.questions import apart
from loadtest.chaos import processes
from loadtest.chaos.checker import TOLERANCE
from loadtest.chaos.line import Line
from loadtest.chaos.questions import GRPC, Question
from loadtest.chaos.stage import Stage
from loadtest.chaos.waiting import Stuck

LONGEST = 30.0


class Probe:
    """Asks every worker one question of each model, over connections of its own."""

    def __init__(self, stage: Stage, questions: Sequence[Question]) -> None:
        self._stage = stage
        self._questions: dict[str, Question] = {}
        for one in questions:
            if one.form != GRPC and one.version is None:
                self._questions.setdefault(one.model, one)

    def settled(self, versions: Mapping[str, int]) -> float:
        """Wait until every worker answers each of these models in this version, or, of version 0, with a 404.

        The time.monotonic() second when that was so; Stuck.
        """
        until = time.monotonic() + LONGEST
        seen: set[tuple[int, str]] = set()
        while time.monotonic() < until:
            living = self._stage.living()
            wanted = {(pid, model) for pid in living for model in versions}
            if len(living) == self._stage.workers and wanted <= seen:
                return time.monotonic()
            seen |= self._look(living, versions)
        missing = sorted({model for _, model in wanted - seen})
        raise Stuck(f"{len(living)} workers; {', '.join(missing)} not answered rightly in {LONGEST:.0f} s")

    def _look(self, living: Sequence[int], versions: Mapping[str, int]) -> set[tuple[int, str]]:
        """Which models the worker that takes one connection in answers rightly."""
        line = Line(self._stage.door.port)
        right = set()
        pid = None
        for model, version in versions.items():
            question = self._questions[model]
            reply = line.send(question.request("probe", self._stage.door.headers)) or line.receive()
            if line.socket is None:
                break
            pid = pid or processes.owner(line.socket, list(living))
            if reply.status == 404 and not version:
                right.add(model)
            if reply.status == 200 and reply.headers.get("x-model-version") == str(version):
                answer = question.read(reply.headers, reply.body)
                if apart(question.answers[version], answer) <= TOLERANCE:
                    right.add(model)
        line.close()
        if pid is None:
            time.sleep(0.02)
            return set()
        return {(pid, model) for model in right}
