"""The gRPC server of one worker: it shares its port with those of the other workers, and drains with its worker."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from service.access.guard import Guard
from service.errors import ServiceError
from service.grpc import guarded, models, prediction
from service.grpc.calls import Context, MakeCall, Method, answering, parse, plain
from service.grpc.health import SERVICE, Health
from service.grpc.messages import MODEL_SERVICE, POOL, PREDICTION_SERVICE, message
from service.handle import Wait
from service.settings import Settings, address
from service.versions.catalog import Catalog

METHODS: Mapping[Any, Mapping[str, Method]] = {
    PREDICTION_SERVICE: {
        "Classify": prediction.classify,
        "Regress": prediction.regress,
        "Predict": prediction.predict,
        "MultiInference": prediction.multi_inference,
        "GetModelMetadata": prediction.get_model_metadata,
    },
    MODEL_SERVICE: {
        "GetModelStatus": models.get_model_status,
        "HandleReloadConfigRequest": models.handle_reload_config_request,
    },
}
"""Every method of every service."""

MOST_PENDING = 100_000
"""Calls that may wait to be looked at. Of more than 1000, the library's own limit, it drops some without a reason; the
queue of each model says that it is full, and when to try again."""

for known in (health_pb2, reflection_pb2):
    POOL.AddSerializedFile(known.DESCRIPTOR.serialized_pb)


class CannotListen(ServiceError):
    """The port is taken, or no address of this machine."""


class Front:
    """Starts and drains on one event loop. The port is `port` once it has started: any that is free for 0."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        wait: Wait,
        guard: Guard | None = None,
        make_call: MakeCall = plain,
    ) -> None:
        self.port = settings.grpc_port
        self._context = Context(settings, catalog, wait, guard, make_call)

    async def start(self) -> None:
        """Listen; CannotListen."""
        settings = self._context.settings
        self._draining = asyncio.Event()
        self._server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.server.max_pending_requests", MOST_PENDING),
                ("grpc.server.max_pending_requests_hard_limit", MOST_PENDING),
                ("grpc.max_receive_message_length", settings.max_body_bytes),
                ("grpc.max_send_message_length", -1),
            ]
        )
        self._server.add_generic_rpc_handlers([*self._services(), *self._helpers()])
        listened = f"{address(settings.host)}:{settings.grpc_port}"
        try:
            if settings.certificate:
                self.port = self._server.add_secure_port(listened, credentials(settings))
            else:
                self.port = self._server.add_insecure_port(listened)
        except (RuntimeError, OSError) as error:
            raise CannotListen(f"gRPC cannot listen on {listened}: {error}") from error
        await self._server.start()

    async def drain(self, seconds: float) -> None:
        """Not serving from now on, and deaf to new calls; returns once those accepted are answered, or it is late."""
        self._draining.set()
        await self._server.stop(seconds)

    def _services(self) -> list[Any]:
        """TensorFlow Serving's."""
        return [
            grpc.method_handlers_generic_handler(
                service.full_name,
                {
                    name: grpc.unary_unary_rpc_method_handler(
                        answering(
                            method,
                            message(service.methods_by_name[name].input_type.full_name),
                            self._context,
                            guarded.scope_of(name),
                            f"/{service.full_name}/{name}",
                        )
                    )
                    for name, method in methods.items()
                },
            )
            for service, methods in METHODS.items()
        ]

    def _helpers(self) -> list[Any]:
        """Health and reflection."""
        names = [service.full_name for service in METHODS]
        health = Health(self._context.catalog, names, self._draining)
        reflect = Reflection([*names, SERVICE, reflection.SERVICE_NAME], self._draining)
        return [
            grpc.method_handlers_generic_handler(
                SERVICE,
                {
                    "Check": grpc.unary_unary_rpc_method_handler(health.check),
                    "Watch": grpc.unary_stream_rpc_method_handler(health.watch),
                },
            ),
            grpc.method_handlers_generic_handler(
                reflection.SERVICE_NAME,
                {"ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(reflect.answers)},
            ),
        ]


def credentials(settings: Settings) -> Any:
    """TLS as over HTTP; OSError."""
    chain = (Path(settings.private_key).read_bytes(), Path(settings.certificate).read_bytes())
    known = Path(settings.client_ca).read_bytes() if settings.client_ca else None
    return grpc.ssl_server_credentials([chain], root_certificates=known, require_client_auth=known is not None)


class Reflection:
    """The services and their messages, to those who ask what is here."""

    def __init__(self, services: list[str], draining: asyncio.Event) -> None:
        self._servicer = reflection.aio.ReflectionServicer(services, pool=POOL)
        self._draining = draining

    async def answers(self, requests: AsyncIterator[bytes], rpc: Any) -> AsyncIterator[bytes]:
        """One answer per question, until the worker drains."""
        questions = self.questions(requests)
        async for answer in self._servicer.ServerReflectionInfo(questions, rpc):
            yield answer.SerializeToString()

    async def questions(self, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        """What is asked, until the worker drains; what is no question is an empty one."""
        drained = asyncio.ensure_future(self._draining.wait())
        try:
            while True:
                following = asyncio.ensure_future(anext(requests, None))
                await asyncio.wait((drained, following), return_when=asyncio.FIRST_COMPLETED)
                if drained.done():
                    following.cancel()
                    return
                data = following.result()
                if data is None:
                    return
                yield question(data)
        finally:
            drained.cancel()


def question(data: bytes) -> Any:
    """A request to reflection."""
    try:
        return parse(reflection_pb2.ServerReflectionRequest, data)
    except ServiceError:
        return reflection_pb2.ServerReflectionRequest()
