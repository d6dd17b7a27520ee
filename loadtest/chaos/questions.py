"""A request of a known answer: what is sent, and by version what must come back."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from loadtest.chaos import calls
from loadtest.chaos.forms import FORMS, Headers

GRPC = "grpc"
NONE: Headers = MappingProxyType({})


@dataclass(frozen=True)
class Question:
    """`version` is None where the service chooses; `answers` are by version, for the checker alone."""

    model: str
    version: int | None
    form: str
    path: str
    headers: Headers
    body: bytes
    names: tuple[str, ...]
    answers: Mapping[int, Any]

    @property
    def whose(self) -> tuple[str, ...]:
        """Whose excuses are its own: the model's, and those of the version that it names."""
        return (self.model, f"{self.model}/{self.version}") if self.version else (self.model,)

    def read(self, headers: Headers, body: bytes) -> Any:
        """The plain values of an answer to it; whatever the form's parser raises."""
        if self.form == GRPC:
            return calls.read(body)[1]
        return FORMS[self.form].read(headers, body, self.names)

    def request(self, number: str, more: Headers = NONE) -> bytes:
        """The whole HTTP request under a number of its own, which the answer repeats, with more headers."""
        lines = [
            f"POST {self.path} HTTP/1.1",
            "Host: chaos",
            f"X-Request-Id: {number}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in [*self.headers.items(), *more.items()]),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + self.body
