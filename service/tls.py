"""TLS, for HTTP and gRPC alike: the files that the settings name, read by every worker as it starts."""

import errno
import functools
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from service.settings import PREFIX, BadSettings, Settings

HANDSHAKE_SECONDS = 10.0
"""A client of a gthread worker, one of whose threads it holds, has so long to agree on keys; others have a minute."""


class Patient(ssl.SSLSocket):
    """A connection of a gthread worker, patient with a handshake, but not for ever."""

    def do_handshake(self, block: bool = False) -> None:
        self.settimeout(HANDSHAKE_SECONDS)
        try:
            super().do_handshake()
        except OSError as error:  # one that gunicorn takes for a client that has left, and says nothing of
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from error
        self.settimeout(None)


def context(settings: Settings) -> ssl.SSLContext:
    """What the files say now: TLS 1.2 at least; BadSettings with a line for all that cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.sslsocket_class = Patient
    wrong = faults(
        settings,
        ("certificate", "private_key"),
        lambda: made.load_cert_chain(settings.certificate, settings.private_key, password=""),
        "no certificate in PEM with its own key, without a passphrase",
    )
    if settings.client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        wrong += faults(
            settings, ("client_ca",), lambda: made.load_verify_locations(settings.client_ca), "no certificates in PEM"
        )
    if wrong:
        raise BadSettings("\n".join(wrong))
    return made


kept = functools.cache(context)
"""A process's own, read once."""


def faults(settings: Settings, names: Sequence[str], use: Callable[[], object], otherwise: str) -> list[str]:
    """What is wrong with the files of these settings."""
    wrong = []
    for name in names:
        try:
            Path(getattr(settings, name)).read_bytes()
        except OSError as error:
            wrong.append(f"{PREFIX}{name.upper()}={getattr(settings, name)}: {error.strerror}")
    if not wrong:
        try:
            use()
        except OSError:  # ssl.SSLError, mostly
            wrong.append(f"{', '.join(PREFIX + name.upper() for name in names)}: {otherwise}")
    return wrong
