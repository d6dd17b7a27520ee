"""TLS over both ports, with certificates made for the occasion: who is served, and who is not."""

import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import requests
import trustme

from service import settings, tls
from service.settings import BadSettings, Settings
from tests.service import artifacts
from tests.service.calls import Client
from tests.service.server import SECONDS, Server, free_port, running
from tests.service.test_grpc import health

GOODBYE = 30
"""Seconds that the event loop itself would wait for a client's goodbye."""
ROW = {"text": "The cat sat.", "numbers": [0.5, -1.0, 2.0]}


@dataclass(frozen=True)
class Files:
    """A server's certificate, a client's, and of those who signed them."""

    authority: str
    certificate: str
    private_key: str
    client: tuple[str, str]

    @property
    def settings(self) -> dict[str, str]:
        return {"certificate": self.certificate, "private_key": self.private_key, "client_ca": self.authority}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issued_in(tmp_path_factory.mktemp("tls"))


def issued_in(folder: Path) -> Files:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, issued in (("server", authority.issue_cert("127.0.0.1")), ("client", authority.issue_cert("a@client"))):
        issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
    ca, server, key, client, client_key = (
        str(folder / name) for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")
    )
    return Files(ca, server, key, (client, client_key))


@pytest.fixture(scope="module")
def grpc_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(worker: str, files: Files, grpc_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("store")
    artifacts.toy(root)
    verified = {"verify": files.authority, "cert": files.client}
    settings = {"worker": worker, "workers": 2, "grpc_port": grpc_port, **files.settings}
    with running(root, root / "log", verified, **settings) as server:
        yield server


class TestFiles:
    def test_good_ones_ask_for_tls_of_today_and_a_clients_certificate(self, files: Files):
        made = tls.context(Settings(**files.settings))
        assert made.minimum_version == ssl.TLSVersion.TLSv1_2
        assert made.verify_mode == ssl.CERT_REQUIRED
        alone = Settings(certificate=files.certificate, private_key=files.private_key)
        assert tls.context(alone).verify_mode == ssl.CERT_NONE

    def test_all_bad_ones_are_told_together(self, files: Files, tmp_path: Path):
        with pytest.raises(BadSettings) as caught:
            tls.context(Settings(certificate="none.pem", private_key=str(tmp_path), client_ca=files.private_key))
        assert str(caught.value).splitlines() == [
            "MANIFOLD_CERTIFICATE=none.pem: No such file or directory",
            f"MANIFOLD_PRIVATE_KEY={tmp_path}: Is a directory",
            "MANIFOLD_CLIENT_CA: no certificates in PEM",
        ]

    def test_anothers_key_is_none(self, files: Files):
        with pytest.raises(BadSettings, match=r"^MANIFOLD_CERTIFICATE, MANIFOLD_PRIVATE_KEY: no certificate"):
            tls.context(Settings(certificate=files.certificate, private_key=files.client[1]))

    def test_what_goes_together_is_asked_for_together(self):
        with pytest.raises(BadSettings) as caught:
            settings.read({"MANIFOLD_PRIVATE_KEY": "key.pem", "MANIFOLD_CLIENT_CA": "ca.pem"})
        assert str(caught.value).splitlines() == [
            "MANIFOLD_CERTIFICATE and MANIFOLD_PRIVATE_KEY go together",
            "MANIFOLD_CLIENT_CA needs MANIFOLD_CERTIFICATE",
        ]


def troubles(server: Server) -> list[str]:
    """What the log has but for good news, of which some may come late."""
    return [line for line in server.log.read_text().splitlines() if "[INFO]" not in line]


class TestServer:
    """One that asks for clients' certificates, over HTTP and gRPC."""

    def test_who_shows_a_certificate_is_answered_again_and_again(self, server: Server):
        with requests.Session() as session:
            for size in (0, 1_000_000):
                answer = session.post(server.url("/predict/toy"), json=ROW | {"extra": "x" * size}, **server.verified)
                assert answer.status_code == 422, answer.text
            assert session.post(server.url("/predict/toy"), json=ROW, **server.verified).status_code == 200

    def test_who_shows_none_is_not(self, server: Server, files: Files):
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url("/healthz"), verify=files.authority, timeout=SECONDS)

    def test_plain_http_gets_nothing_and_no_line_in_the_log(self, server: Server):
        before = troubles(server)
        with server.connect() as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not connection.recv(1000).startswith(b"HTTP")
        assert server.get("/healthz").status_code == 200
        assert troubles(server) == before

    def test_what_is_no_request_is_told_so_over_tls_alone(self, server: Server, files: Files, worker: str):
        context = ssl.create_default_context(cafile=files.authority)
        context.load_cert_chain(*files.client)
        with context.wrap_socket(server.connect(), server_hostname="127.0.0.1") as connection:
            connection.sendall(b"NONE\r\n\r\n")
            answer = connection.recv(1000)
        assert answer.startswith(b"HTTP/1.1 400")
        for header in (b"X-Content-Type-Options: nosniff", b"Strict-Transport-Security: max-age="):
            assert (header in answer) == (worker == "greenlet"), "gthread has gunicorn's own parser"

    def test_grpc_is_as_safe(self, server: Server, files: Files, grpc_port: int):
        authority = Path(files.authority).read_bytes()
        chain, key = (Path(name).read_bytes() for name in files.client)
        known = Client(grpc_port, grpc.ssl_channel_credentials(authority, key, chain))
        unknown = Client(grpc_port, grpc.ssl_channel_credentials(authority))
        assert health(known, "") == "SERVING"
        with pytest.raises(grpc.RpcError):
            health(unknown, "")
        for client in (known, unknown):
            client.channel.close()

    def test_clients_that_say_no_goodbye_hold_up_no_sigterm(self, server: Server, files: Files):
        context = ssl.create_default_context(cafile=files.authority)
        context.load_cert_chain(*files.client)
        with context.wrap_socket(server.connect(), server_hostname="127.0.0.1") as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(1000).startswith(b"HTTP/1.1 200")
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(GOODBYE - 1) == 0
