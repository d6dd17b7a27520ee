"""The servers behind a name: every address that it resolves to is a replica of its own."""

import socket
from collections.abc import Callable

from service.settings import address

Resolve = Callable[[str], list[str]]
"""From "host:port" to the addresses behind it, each "host:port"; OSError."""


def addresses(name: str) -> list[str]:
    """The IPv4 addresses behind a name, in order; where there is none, those of IPv6. OSError.

    One family alone: a server that listens on both would else be two.

    >>> addresses("127.0.0.1:8500"), addresses("[::1]:8500")
    (['127.0.0.1:8500'], ['[::1]:8500'])
    """
    host, _, port = name.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    family = min(kind for kind, *_ in found)  # AF_INET is 2, AF_INET6 more
    return sorted({f"{address(str(place[0]))}:{port}" for kind, *_, place in found if kind == family})
