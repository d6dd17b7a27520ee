"""The sockets on which the service listens: how they are made, and how they are let go of without a loss."""

import contextlib
import ctypes
import errno
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from service.settings import PREFIX, BadSettings

BACKLOG = 2048
"""Connections that may wait at one socket to be taken in, as gunicorn has it."""

SO_ATTACH_FILTER = 26
"""socket(7); Python has no name for it."""
FLAGS, SYN, ACK, ALL = 13, 0x02, 0x10, 0xFFFFFFFF
"""In a TCP header (RFC 9293, 3.1): where the flags are, and two of them; and as many bytes as there may be."""
BEGINS_NONE = (
    (0x30, 0, 0, FLAGS),  # load the byte
    (0x54, 0, 0, SYN | ACK),  # and with
    (0x15, 0, 1, SYN),  # if it is this, the next; else the one behind it
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, ALL),  # let it in
)
"""Instructions of the classic BPF (linux/filter.h): code, two jumps, operand."""


def listeners(host: str, port: int, count: int) -> list[socket.socket]:
    """So many sockets that listen on one port, over which the kernel spreads connections; BadSettings.

    The parent of the workers holds them: a worker that ends loses nothing that waits at its own.
    """
    check_free(host, port, "PORT")
    sockets: list[socket.socket] = []
    for _ in range(count):
        sockets.append(
            socket.create_server((host.strip("[]"), port), family=family(host), reuse_port=True, backlog=BACKLOG)
        )
        port = sockets[0].getsockname()[1]
    return sockets


def check_free(host: str, port: int, setting: str) -> None:
    """BadSettings if somebody listens there: the workers share the port, and so would another server's, unasked."""
    try:
        socket.create_server((host.strip("[]"), port), family=family(host)).close()
    except OSError as error:
        wrong = f"{setting}={port}" if error.errno in (errno.EADDRINUSE, errno.EACCES) else f"HOST={host}"
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        raise BadSettings(f"{PREFIX}{wrong}: {reason}") from error


def family(host: str) -> socket.AddressFamily:
    """IPv6 or IPv4."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def close_listeners(_arbiter: Any) -> None:
    """In the parent of the device processes: while it holds the HTTP port, clients of a server that ends still connect.

    Nobody would answer them.
    """
    for name in [file.name for file in Path("/dev/fd").iterdir() if file.is_socket()]:
        with socket.socket(fileno=os.dup(int(name))) as one:
            listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listens:
            os.close(int(name))


def deafen(listener: socket.socket) -> None:
    """Let no connection begin here any more, in any process that has the socket; those that have begun go on.

    The kernel resets what waits at a socket when its last holder closes it, so whoever ends has to take in all that
    waits and then close, and between the two one more may come: from now on none can. Who tries to connect hears
    nothing, tries again after a second (RFC 6298, 2.1), and is refused or meets another server by then.
    Where the system has no such filter, the gap stays.
    """
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in BEGINS_NONE))
    program = struct.pack("HP", len(BEGINS_NONE), ctypes.addressof(code))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
