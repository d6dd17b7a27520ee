"""A reverse proxy that cuts off a prefix and tells nobody: nginx's `location /here/ { proxy_pass http://server/; }`."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/here"


class Front(ThreadingHTTPServer):
    """A browser opens many connections at once."""

    request_queue_size = 128


@contextmanager
def proxy(port: int) -> Iterator[str]:
    """In front of a server; its own root."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.hand_on()

        def do_POST(self) -> None:
            self.hand_on()

        def hand_on(self) -> None:
            """Ask the server the same, and send what it says as it comes; a browser may leave before that ends."""
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(502, "outside")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server = http.client.HTTPConnection("127.0.0.1", port)
            with contextlib.closing(server), contextlib.suppress(ConnectionError):
                server.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers))
                answer = server.getresponse()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name not in ("Transfer-Encoding", "Connection"):
                        self.send_header(name, value)
                self.end_headers()
                while part := answer.read1(65536):
                    self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    front = Front(("127.0.0.1", 0), Handler)
    threading.Thread(target=front.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{front.server_port}{PREFIX}"
    finally:
        front.shutdown()
        front.server_close()
