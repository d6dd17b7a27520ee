"""How long a client may be silent, or not read. Pure: time is an argument, in seconds on any one clock."""

HEAD_SECONDS = 20.0
"""A head may take so long in all: it is a packet or two, and who sends a byte now and then holds a connection."""
LEAST_RATE = 10_000
"""Bytes a second, at least, of a body that comes or an answer that goes: what is slower uses up gunicorn's timeout."""
HURRY_SECONDS = 5.0
"""Of that timeout, while bodies hold more of a worker's memory than is free: who stops, stops others."""


class Patience:
    """With one client, which has `timeout` seconds for most things; it ends at `until`."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.until = 0.0
        self._credited = -1  # bytes of the body for which the client was given time, -1 before
        self._unread = 0  # bytes that it had not read when it was last looked at

    def head(self, now: float) -> None:
        """A head begins, and its body has not."""
        self.until = now + HEAD_SECONDS
        self._credited = -1

    def body(self, now: float, received: int) -> None:
        """Of a body so much has come, and more is to come.

        >>> patience = Patience(timeout=30.0)
        >>> patience.body(now=100.0, received=10_000)
        >>> patience.body(now=120.0, received=30_000)
        >>> patience.until  # two seconds are enough for so much
        132.0
        """
        if self._credited < 0:
            self.until = now + self.timeout
        else:
            self.credit(now, received - self._credited)
        self._credited = received

    def credit(self, now: float, count: int) -> None:
        """So many bytes have come or gone: they are given time, never more than the first."""
        self.until = min(now + self.timeout, self.until + count / LEAST_RATE)

    def over(self, now: float, unread: int, hurry: bool) -> bool:
        """Whether it is at its end with a client that has not read so many bytes; earlier in a hurry."""
        if unread < self._unread:
            self.credit(now, self._unread - unread)
        self._unread = unread
        return now >= self.until - (max(self.timeout - HURRY_SECONDS, 0.0) if hurry else 0.0)
