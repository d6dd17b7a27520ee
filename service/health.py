"""`python -m service.health`: does the server of this environment answer? What a container's health check runs.

It reads the same settings as the server, imports little (a check runs every few seconds), and ends with status 1 and a
reason if /healthz is not answered with 200.
"""

import os
import socket
import sys

from service import settings
from service.errors import ServiceError
from service.settings import Settings

SECONDS = 2.0
"""For an answer."""
HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where one asks who listens everywhere
ALIVE = "HTTP/1.1 200"
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n"


def main() -> int:
    """0 if it answers."""
    try:
        answer = ask(settings.read(os.environ))
    except (OSError, ServiceError) as error:
        answer = str(error)
    if answer.startswith(ALIVE):
        return 0
    print(answer or "no answer", file=sys.stderr)
    return 1


def ask(chosen: Settings) -> str:
    """The first line of the answer; OSError if there is none."""
    host = chosen.host.strip("[]")
    with socket.create_connection((HERE.get(host, host), chosen.port), SECONDS) as plain:
        return encrypted(plain, chosen) if chosen.certificate else asked(plain)


def asked(connection: socket.socket) -> str:
    """The first line of the answer over a connection."""
    connection.sendall(REQUEST)
    with connection.makefile("rb") as reader:
        return reader.readline().decode("latin-1").strip()


def encrypted(plain: socket.socket, chosen: Settings) -> str:
    """The same over TLS. Who wants a client's certificate, and we have none, shows life by agreeing on keys."""
    import ssl

    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE  # it asks itself
    with anyone.wrap_socket(plain) as connection:
        return ALIVE if chosen.client_ca else asked(connection)


if __name__ == "__main__":
    sys.exit(main())
