"""How long a client may be silent, or not read. Pure: time is an argument, in seconds on any one clock."""

HEAD_SECONDS = 20.0
"""A head may take so long in all: it is a packet or two, and who sends a byte now and then holds a connection."""
LEAST_RATE = 10_000
"""Bytes of a body a second, at least, since gunicorn's timeout has passed."""


class Patience:
    """With one client, which has `timeout` seconds for most things; it ends at `until`."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.until = 0.0
        self._since = 0.0  # since when the body comes, 0 before
        self._unread = 0  # bytes that the client had not read when it was last looked at

    def head(self, now: float) -> None:
        """A head begins, and its body has not."""
        self.until = now + HEAD_SECONDS
        self._since = 0.0

    def body(self, now: float, received: int) -> None:
        """Of a body so much has come, and more is to come.

        >>> patience = Patience(timeout=30.0)
        >>> patience.body(now=100.0, received=10_000)
        >>> patience.body(now=150.0, received=20_000)
        >>> patience.until  # two seconds are enough for so much
        132.0
        """
        self._since = self._since or now
        self.until = min(now, self._since + received / LEAST_RATE) + self.timeout

    def over(self, now: float, unread: int) -> bool:
        """Whether it is at its end with who has not read so many bytes. While they become fewer, it is not."""
        if unread < self._unread:
            self.until = max(self.until, now + self.timeout)
        self._unread = unread
        return now >= self.until
