"""What one worker may hold for its requests, in rows and bytes, over all its models and the bodies it reads.

Nobody may hold more than GREED times what is still free (Choudhury and Hahne's dynamic thresholds, of 1998, for the
memory of a switch). So one flooded model stops at four fifths of the room, two at four ninths each, and there is
always some left for those who hold little: whoever is flooded is refused first. Who holds nothing needs no more than
that his request fits, or that nobody else holds anything.
"""

import threading
from collections.abc import Callable

from service.errors import Overloaded

GREED = 4
"""Times what is free, at most, for one."""

Seconds = Callable[[], float]
"""Until what one holds now is gone."""


def soon() -> float:
    """Of those who cannot know."""
    return 0.0


class Room:
    """So many rows and bytes; a share for each who holds some of it."""

    def __init__(self, rows: float = float("inf"), size: float = float("inf")) -> None:
        self.rows = rows
        self.size = size
        self.held_rows = 0
        self.held_size = 0
        self.lock = threading.Lock()
        self.shares: list[Share] = []

    def share(self, seconds: Seconds = soon) -> "Share":
        """A share, which can say when what it holds will be gone."""
        made = Share(self, seconds)
        self.shares.append(made)
        return made


class Share:
    """What one model holds, or all bodies together."""

    def __init__(self, room: Room, seconds: Seconds = soon) -> None:
        self.rows = 0
        self.size = 0
        self._room = room
        self.seconds = seconds

    def take(self, rows: int, size: int) -> None:
        """Hold so many rows and bytes more; Overloaded, and when that may be otherwise."""
        room = self._room
        with room.lock:
            free_rows, free_size = room.rows - room.held_rows - rows, room.size - room.held_size - size
            if (
                (self.rows + rows <= GREED * free_rows and self.size + size <= GREED * free_size)
                or (fits(free_rows, rows, self.rows) and fits(free_size, size, self.size))
                or not (room.held_rows or room.held_size)
            ):
                room.held_rows += rows
                room.held_size += size
                self.rows += rows
                self.size += size
                return
        held = f"this worker holds {room.held_rows} rows and {room.held_size} bytes, of which {self.rows} rows and"
        raise Overloaded(
            f"{held} {self.size} bytes for such requests, and has no room for {rows} rows and {size} bytes more"
        ).wait(max(share.seconds() for share in [self, *room.shares]))

    def give(self, rows: int, size: int) -> None:
        """Hold so much less."""
        room = self._room
        with room.lock:
            room.held_rows -= rows
            room.held_size -= size
            self.rows -= rows
            self.size -= size

    @property
    def presses(self) -> bool:
        """Whether it holds more bytes than are free for all."""
        return self.size > self._room.size - self._room.held_size

    def close(self) -> None:
        """Be asked no more; what is held is given back later."""
        if self in self._room.shares:
            self._room.shares.remove(self)


def fits(left: float, more: int, held: int) -> bool:
    """Whether one who holds so much may hold so much more, which would leave so much free.

    >>> fits(left=0, more=5, held=0), fits(left=0, more=5, held=1), fits(left=2, more=5, held=1)
    (True, False, True)
    """
    return not more or (left >= 0 and (not held or held + more <= GREED * left))
