"""A circuit breaker: who fails again and again is left alone for a while. Pure; time is an argument, in seconds.

Closed, it lets all calls through. After MOST failures in a row it opens, for FIRST seconds; then it lets one call
through to try. If that succeeds it closes; if it fails it opens for twice as long, LONGEST seconds at most.
"""

MOST = 5
FIRST = 1.0
LONGEST = 30.0


class Breaker:
    """Of one replica. Not thread-safe: the fleet holds the lock."""

    def __init__(self) -> None:
        self.failures = 0
        self._until = 0.0
        self._rest = FIRST
        self._trying = False

    @property
    def closed(self) -> bool:
        """Whether nothing is wrong."""
        return self.failures < MOST

    def allows(self, now: float) -> bool:
        """Whether a call may be made."""
        return self.closed or (now >= self._until and not self._trying)

    def begin(self) -> None:
        """A call is made."""
        self._trying = not self.closed

    def end(self, well: bool | None, now: float) -> None:
        """A call is over: it says that the replica is well, or that it is not, or nothing of it.

        A failure of one that was begun before the breaker opened counts no more.
        """
        self._trying = False
        if well:
            self.failures, self._rest = 0, FIRST
        elif well is False and (self.closed or now >= self._until):
            self.failures += 1
            if not self.closed:
                self._until = now + self._rest
                self._rest = min(2 * self._rest, LONGEST)
