"""What can be wrong with what was asked in a terminal; each is one message, and exit status 2."""

from collections.abc import Iterable

from service.errors import Fault, InvalidInput, ServiceError, placed


class BadCommand(ServiceError):
    """The flags cannot be followed; the message says why."""


class BadFile(ServiceError):
    """A file cannot be read or written, or a row of it be answered; the message says where and why."""


def words(error: ServiceError) -> str:
    """An error's message as people read it: names for pointers.

    >>> words(InvalidInput([Fault("/text/3", "expected an integer"), Fault("?/top", "expected less")]))
    'text[3]: expected an integer; top: expected less'
    """
    return "; ".join(lines(error.faults)) if isinstance(error, InvalidInput) else str(error)


def lines(faults: Iterable[Fault]) -> list[str]:
    """The faults of one row, each in words."""
    return [placed(place(fault.pointer), fault.detail) for fault in faults]


def place(pointer: str) -> str:
    """A JSON pointer as a name and its indices.

    >>> place("/worn/2/1"), place("?/top"), place("/a~1b"), place("")
    ('worn[2][1]', 'top', 'a/b', '')
    """
    name, *indices = [part.replace("~1", "/").replace("~0", "~") for part in pointer.lstrip("?").split("/")[1:]] or [""]
    return name + "".join(f"[{index}]" for index in indices)
