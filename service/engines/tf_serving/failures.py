"""What it means that a call failed: whether another replica may be asked, and what its client is told.

| gRPC's status                    | ran?  | another replica is asked | client          | the replica is
| UNAVAILABLE, never connected     | no    | while there is one       | 503 not ready   | left until it answers
| NOT_FOUND: has no such version   | no    | while there is one       | 503 not ready   | left until it has it
| RESOURCE_EXHAUSTED               | no    | once                     | 429 queue full  |
| UNAVAILABLE, CANCELLED: it broke | maybe | once, unless in doubt    | 503 not ready   | sick; left until it answers
| INTERNAL, UNKNOWN, …             | maybe | once                     | 500 it failed   | sick, if another can
| DEADLINE_EXCEEDED                | maybe | never                    | 504 too late    | sick
| INVALID_ARGUMENT                 | yes   | never                    | 422 invalid     | well
| all others                       | no    | never                    | 500 it failed   |
"""

from enum import Enum

from service import redact
from service.errors import DeadlineExceeded, EngineFailed, Fault, InvalidInput, ModelNotReady, QueueFull, ServiceError

UNREACHED = "failed to connect"
"""How gRPC's message begins where nothing was sent: no server listened."""
TOO_LARGE = "larger than max"
"""What is in gRPC's message where one side takes no message of that size, whatever the load."""
SUSPICIOUS = ("INTERNAL", "UNKNOWN", "DATA_LOSS", "ABORTED")


class Again(Enum):
    """Whether a batch may go to another replica."""

    FREELY = "it has not run"
    ONCE = "it may have run"
    NEVER = "it would fail again"


class Failed(Exception):
    """A call that was not answered: gRPC's status code by its name, its message, and when to come back, in seconds."""

    def __init__(self, code: str, details: str = "", after: float | None = None) -> None:
        super().__init__(f"{code}: {redact.line(details)}")
        self.code = code
        self.details = details
        self.after = after

    @property
    def unreached(self) -> bool:
        """Whether there was nobody to ask."""
        return self.code == "UNAVAILABLE" and self.details.startswith(UNREACHED)

    @property
    def absent(self) -> bool:
        """Whether the replica has not even begun: it is not there, or does not have the version."""
        return self.unreached or self.code == "NOT_FOUND"

    @property
    def broke(self) -> bool:
        """Whether it was lost on its way, perhaps with the replica."""
        return self.code in ("UNAVAILABLE", "CANCELLED") and not self.unreached

    @property
    def well(self) -> bool | None:
        """Whether the replica is well, as far as this alone tells."""
        if self.broke or self.code == "DEADLINE_EXCEEDED":
            return False
        return True if self.code == "INVALID_ARGUMENT" else None

    @property
    def suspicious(self) -> bool:
        """Whether it is the replica that is to blame, or the batch: only another replica can tell."""
        return self.code in SUSPICIOUS

    @property
    def again(self) -> Again:
        """Whether another replica may be asked."""
        if self.absent:
            return Again.FREELY
        if self.too_large:
            return Again.NEVER
        once = self.broke or self.suspicious or self.code == "RESOURCE_EXHAUSTED"
        return Again.ONCE if once else Again.NEVER

    @property
    def too_large(self) -> bool:
        """Whether the batch, or its answer, is larger than one side takes."""
        return self.code == "RESOURCE_EXHAUSTED" and TOO_LARGE in self.details

    def error(self, address: str) -> ServiceError:
        """What the client is told; `address` is the replica's."""
        told = f"{address}: {redact.line(self.details)}"
        if self.absent or self.broke:
            return self._later(ModelNotReady(told))
        if self.code == "RESOURCE_EXHAUSTED" and not self.too_large:
            return self._later(QueueFull(told))
        if self.code == "DEADLINE_EXCEEDED":
            return DeadlineExceeded(f"{address} has not answered in the time the request allows")
        if self.code == "INVALID_ARGUMENT":
            return InvalidInput([Fault("", redact.line(self.details))])
        return EngineFailed(f"{address}: {self}")

    def _later(self, error: ServiceError) -> ServiceError:
        return error if self.after is None else error.wait(self.after)
