"""Which processes a server has now, who of them took in a connection, and what of them is left at the end."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import processes

PROC = processes.PROC
LISTENS = "0A"


@dataclass(frozen=True)
class Row:
    """A line of /proc/net/tcp or tcp6: ports, state and the number of the socket."""

    port: int
    remote: int
    state: str
    inode: str


def table() -> Iterator[Row]:
    """All TCP sockets of this machine; gRPC's are of IPv6, for IPv4 as well."""
    for name in ("tcp", "tcp6"):
        for line in (PROC / "net" / name).read_text().splitlines()[1:]:
            fields = line.split()
            port, remote = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
            yield Row(port, remote, fields[3], fields[9])


def sockets(pid: int) -> set[str]:
    """The numbers of a process's sockets; none once it is gone."""
    found = set()
    try:
        for name in os.listdir(PROC / str(pid) / "fd"):  # noqa: PTH208 - the entries vanish while they are looked at
            target = link(PROC / str(pid) / "fd" / name)
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass
    return found


def link(path: Path) -> str:
    """Where a link leads, "" once it is gone."""
    try:
        return os.readlink(path)  # noqa: PTH115 - it leads to no path
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """The living children of a process."""
    return [
        int(child)
        for file in PROC.glob(f"{pid}/task/*/children")
        for child in processes.text_of(file).split()
        if state(int(child)) not in ("Z", "")
    ]


def state(pid: int) -> str:
    """A process's state in a letter (proc(5)), "" once it is gone."""
    stat = processes.text_of(PROC / str(pid) / "stat")
    return stat.rpartition(")")[2].split()[0] if stat else ""


def workers(master: int, port: int) -> list[int]:
    """The children of a master that listen on the port: no process of a device, nor their parent, nor a new master."""
    listening = {row.inode for row in table() if row.port == port and row.state == LISTENS}
    return [child for child in children(master) if sockets(child) & listening and not successor_of(master, child)]


def devices(master: int, port: int) -> list[int]:
    """The processes of devices: grandchildren of a master, by a child that is no worker."""
    serving = workers(master, port)
    return [one for child in children(master) if child not in serving for one in children(child)]


def parent_of_devices(master: int, port: int) -> int | None:
    """The child of a master whose children they are."""
    serving = workers(master, port)
    return next((child for child in children(master) if child not in serving and children(child)), None)


def successor(master: int) -> int | None:
    """The master that was started in a master's place by SIGUSR2."""
    return next((child for child in children(master) if successor_of(master, child)), None)


def successor_of(master: int, child: int) -> bool:
    """Whether a child was started by SIGUSR2: it has another environment, and not by fork alone."""
    return f"GUNICORN_PID={master}\0" in processes.text_of(PROC / str(child) / "environ")


def owner(connection: socket.socket, pids: list[int]) -> int | None:
    """Which of these processes has taken in a connection; None while none has."""
    here, there = connection.getsockname()[1], connection.getpeername()[1]
    inodes = {row.inode for row in table() if row.port == there and row.remote == here}
    return next((pid for pid in pids if sockets(pid) & inodes), None)


def of_session(session: int) -> list[int]:
    """Every living process of a session."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            fields = processes.text_of(folder / "stat").rpartition(")")[2].split()
            if fields and int(fields[3]) == session and fields[0] != "Z":
                found.append(int(folder.name))
    return found
