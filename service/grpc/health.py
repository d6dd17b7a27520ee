"""grpc.health.v1: serving once every model does, until the worker drains; over HTTP `/readyz` says it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from grpc_health.v1 import health_pb2

from service.errors import ModelNotFound, Overloaded, ServiceError
from service.grpc.calls import parse, refuse
from service.versions.catalog import Catalog

SECONDS = 0.5
"""Between two looks on behalf of those who watch."""
MOST_WATCHING = 1000
"""Who watches needs no key, and costs a look each time."""

SERVICE: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
Request = health_pb2.HealthCheckRequest
Response = health_pb2.HealthCheckResponse


class Health:
    """Check and Watch for these services, and for "", all of them; `draining` ends both."""

    def __init__(
        self, catalog: Catalog, services: Sequence[str], draining: asyncio.Event, most: int = MOST_WATCHING
    ) -> None:
        self._most = most
        self._watching = 0
        self._catalog = catalog
        self._services = {"", *services}
        self._draining = draining

    def status(self, service: str) -> Any:
        """A service's status now."""
        if service not in self._services:
            return Response.SERVICE_UNKNOWN
        ready = not self._draining.is_set() and not self._catalog.unready()
        return Response.SERVING if ready else Response.NOT_SERVING

    async def check(self, data: bytes, rpc: Any) -> bytes:
        """The status now; NOT_FOUND of a service that is not here."""
        try:
            status = self.status(parse(Request, data).service)
            if status == Response.SERVICE_UNKNOWN:
                raise ModelNotFound("no such service")
        except ServiceError as error:
            await refuse(rpc, error)
        return bytes(Response(status=status).SerializeToString())

    async def watch(self, data: bytes, rpc: Any) -> AsyncIterator[bytes]:
        """The status now, and whenever it changes, until the worker drains; RESOURCE_EXHAUSTED if too many watch."""
        try:
            service = parse(Request, data).service
            if self._watching >= self._most:
                raise Overloaded(f"{self._most} watch already, as many as may in this worker").wait(SECONDS)
        except ServiceError as error:
            await refuse(rpc, error)
        self._watching += 1
        try:
            async for status in self._changes(service):
                yield Response(status=status).SerializeToString()
        finally:
            self._watching -= 1

    async def _changes(self, service: str) -> AsyncIterator[Any]:
        """A service's status now, and whenever it is another, until the worker drains."""
        drained, last = False, None
        while not drained:
            drained, status = self._draining.is_set(), self.status(service)
            if status != last:
                yield status
            last = status
            await either(self._draining, SECONDS)


async def either(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, or so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
