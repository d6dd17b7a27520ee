"""What every machine that changes versions under requests has in common: some were found before, and are asked now."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from service.batching.jobs import Job
from service.errors import Draining
from service.handle import ModelHandle
from tests.service.fakes import job


class Upgrades(RuleBasedStateMachine):
    """Versions that were found, and the jobs that these accepted."""

    found: list[ModelHandle]
    accepted: list[tuple[int, Job]]

    @precondition(lambda self: self.found)
    @rule(data=st.data())
    def queue(self, data):
        """However long ago the version was found."""
        found = data.draw(st.sampled_from(self.found))
        asked = job([[0.0]])
        try:
            found.batcher.submit([asked])
        except Draining:
            assert found.engine.closed
        else:
            self.accepted.append((found.version, asked))
