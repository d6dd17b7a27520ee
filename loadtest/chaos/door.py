"""Where the service is asked, and the key that opens it."""

from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass
class Door:
    """Two ports, and the key that clients send now, "" where none is asked for."""

    port: int
    grpc_port: int = 0
    key: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What shows the key over HTTP, and in small letters over gRPC."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}
