"""What an operator may set: one frozen value, read once from the environment (MANIFOLD_*) and flags.

All bad values are reported together. The table in docs/settings.md is made from these fields; a test holds it to that.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from service import cores
from service.errors import ServiceError
from service.storage.location import check, is_url, place

PREFIX = "MANIFOLD_"
MEGABYTE = 1024 * 1024
LARGEST = 10**15
"""More bytes than any machine has."""
SERVICE_LINK = re.compile(rf"{PREFIX}(\w+_)?(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$)")
ORIGIN = re.compile(r"\*|https?://[^\s/,*]+", re.IGNORECASE)
SERVER = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[1-9]\d{0,4}")
DEVICE = re.compile(r"cpu|(cpu|gpu):(0|[1-9]\d?)")


class BadSettings(ServiceError):
    """One or more settings cannot be used; the message has a line for each."""


def setting(
    default: Any, help: str, choices: tuple[str, ...] = (), least: float | None = None, most: float = 10**9
) -> Any:
    """A field with its help; `least` and `most` are the smallest and the largest number allowed."""
    return field(default=default, metadata={"help": help, "choices": choices, "least": least, "most": most})


@dataclass(frozen=True)
class Settings:
    """Every setting, with its default and one line of help."""

    store: str = setting("store", "Folder of the models: STORE/<model>/<version>/. Or a URL (docs/storage.md).")
    store_poll: float = setting(15.0, "Seconds between two looks at a store at a URL. 0: only at the start.", least=0)
    cache: str = setting("~/.cache/manifold", "Folder for what is pulled from a store at a URL.")
    models: str = setting("", "Models to serve, separated by commas. Empty: all in the store.")
    versions: int = setting(1, "How many of a model's newest versions to serve. 0: all.", least=0)
    policy: str = setting("", "File that says more of each model (docs/versions.md). Empty: STORE/serving.json.")
    watch: float = setting(1.0, "Seconds between two looks at the store and the policy file. 0: never.", least=0)
    trust: str = setting("", "Files of public keys, separated by commas: only versions signed by one are loaded.")
    keys: str = setting("", "File of API keys, followed as it changes. Empty: who asks needs none, and nobody changes.")
    audit: str = setting("", "File to which every change is appended, a line of JSON each; the log has them anyway.")
    engine: str = setting("auto", "What computes.", choices=("auto", "onnx", "saved_model"))
    precision: str = setting(
        "full", "Which twin computes; reduced: in 8 bits, where the card allows it.", choices=("full", "reduced")
    )
    xla: str = setting(
        "on",
        "Whether TensorFlow compiles shapes that are asked for often, where that is quicker.",
        choices=("off", "on"),
    )
    placement: str = setting(
        "auto",
        "Where models compute: in every HTTP worker, in a process per device or in a fleet of TensorFlow Serving."
        " auto: in the fleet, if there is one, else on devices, if there is a GPU.",
        choices=("auto", "worker", "device", "tf_serving"),
    )
    fleet: str = setting("", "Addresses of a TensorFlow Serving fleet, host:port, separated by commas. Empty: none.")
    standby: str = setting(
        "auto",
        "Whether a process with TensorFlow loaded stands by for those of devices. auto: if there is a GPU.",
        ("auto", "off", "on"),
    )
    devices: str = setting("", "Devices to use, such as `gpu:0,gpu:1`; `cpu` tries it without. Empty: all GPUs.")
    console: str = setting(
        "on", "Whether browsers get pages on which to try the models (docs/console.md).", ("off", "on")
    )
    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8000, "Port to listen on.", least=0, most=65535)
    grpc_port: int = setting(0, "Port of TensorFlow Serving's gRPC API. 0: off.", least=0, most=65535)
    certificate: str = setting("", "File with the certificate for TLS and its chain, in PEM. Empty: no TLS.")
    private_key: str = setting("", "File with the certificate's private key, in PEM, without a passphrase.")
    client_ca: str = setting("", "File with certificates of those who sign clients' own, which are then required.")
    workers: int = setting(0, "HTTP worker processes. 0: one per core, within a container's limit.", least=0)
    worker: str = setting("greenlet", "Kind of HTTP worker.", choices=("greenlet", "gthread"))
    threads: int = setting(32, "Threads of a gthread worker: requests it serves at once.", least=1)
    engine_threads: int = setting(0, "Threads of one engine. 0: cores divided by workers.", least=0)
    max_batch_rows: int = setting(64, "Rows the engine sees at once, at most.", least=1)
    target_ms: float = setting(
        0.0, "Milliseconds the engine may take for one batch: what decides its rows. 0: as many rows as pay.", least=0
    )
    max_queue_rows: int = setting(1024, "Rows that may wait for one model in one worker; more get a 429.", least=1)
    max_queue_bytes: int = setting(
        256 * MEGABYTE,
        "Bytes of tensors that may wait for one model in one worker; more get a 429.",
        least=1,
        most=LARGEST,
    )
    max_wait: float = setting(
        0.5, "Seconds that what waits for one model may take, by what its last batches took; more gets a 429.", least=0
    )
    max_held_rows: int = setting(4096, "Rows that one worker may hold for all models; more get a 429.", least=1)
    max_held_bytes: int = setting(
        1024 * MEGABYTE, "Bytes that one worker may hold, bodies and tensors; more get a 429.", least=1, most=LARGEST
    )
    request_timeout: float = setting(
        30.0, "Seconds a request may take, unless its X-Request-Timeout says less.", least=0.001
    )
    engine_timeout: float = setting(
        60.0, "Seconds one call of an engine may take; then its worker is replaced.", least=0.1
    )
    load_timeout: float = setting(120.0, "Seconds that loading a version may take; then it is refused.", least=0.1)
    max_body_bytes: int = setting(16 * MEGABYTE, "Largest request body, in bytes; a larger one gets a 413.", least=1)
    cors_origins: str = setting(
        "", "Origins whose pages may ask, such as https://example.org, separated by commas; * is any. Empty: none."
    )
    worker_timeout: int = setting(
        30, "Seconds a process may show no sign of life before it is killed and replaced.", least=2
    )
    keepalive: int = setting(5, "Seconds an idle connection stays open; above that of a proxy in front.", least=0)
    graceful_timeout: int = setting(30, "Seconds that accepted requests have to finish after a SIGTERM.", least=1)
    top: int = setting(5, "Labels listed per output of many, unless the request's top says otherwise.", least=0)
    drift: float = setting(
        10.0,
        "Requests a second, of every model in every worker, that are looked at for drift (docs/drift.md). 0: none.",
        least=0,
        most=1000,
    )
    traces: str = setting(
        "off", "Whether requests are traced, by OpenTelemetry; OTEL_* variables say the rest.", ("off", "on")
    )
    access_log: float = setting(
        0.0, "Share of requests that have a line in the log; failures of the service always, unless it is 0.", (), 0, 1
    )
    log_format: str = setting("text", "What a log line is.", choices=("text", "json"))
    log_level: str = setting("info", "Least severe log line.", choices=("debug", "info", "warning", "error"))

    @property
    def worker_count(self) -> int:
        """HTTP workers, resolved."""
        return self.workers or cores.count()

    @property
    def engine_thread_count(self) -> int:
        """Threads of one engine, resolved."""
        return self.engine_threads or max(1, cores.count() // self.worker_count)

    @property
    def model_names(self) -> list[str]:
        """The models named, [] for all."""
        return listed(self.models)

    @property
    def fleet_names(self) -> list[str]:
        """The names of the fleet's servers, each with its port, [] for none."""
        return listed(self.fleet)

    @property
    def device_names(self) -> list[str]:
        """The devices named, each with its number, [] for all GPUs."""
        return [name if ":" in name else f"{name}:0" for name in listed(self.devices)]

    @property
    def folder(self) -> Path:
        """The models' folder: the store, or the copy of what is wanted of one at a URL."""
        return place(self.store, self.cache) if is_url(self.store) else Path(self.store)

    @property
    def policy_file(self) -> Path:
        """The policy file, resolved."""
        return Path(self.policy or self.folder / "serving.json")

    @property
    def policy_source(self) -> str:
        """The URL of the store that has the policy file; "" where it lies here."""
        return self.store if is_url(self.store) and not self.policy else ""

    @property
    def trusted(self) -> list[str]:
        """The files of public keys, [] where no signature is asked for."""
        return listed(self.trust)

    @property
    def origins(self) -> list[str]:
        """The origins whose pages may ask, [] for none."""
        return [origin.lower() for origin in listed(self.cors_origins)]


def listed(text: str) -> list[str]:
    """What stands between commas.

    >>> listed("qa, similarity,")
    ['qa', 'similarity']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def address(host: str) -> str:
    """A host as it stands before a port: IPv6 in brackets.

    >>> address("::1"), address("127.0.0.1")
    ('[::1]', '127.0.0.1')
    """
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def read(environment: Mapping[str, str], flags: Mapping[str, str | None] | None = None) -> Settings:
    """Settings from MANIFOLD_* variables, overridden by flags; BadSettings lists every bad value and unknown name.

    >>> read({"MANIFOLD_PORT": "9000"}).port
    9000
    """
    known = {spec.name: spec for spec in fields(Settings)}
    given = {
        name.removeprefix(PREFIX).lower(): text
        for name, text in environment.items()
        if name.startswith(PREFIX) and not is_service_link(name, text)
    }
    given |= {name: text for name, text in (flags or {}).items() if text is not None}
    values: dict[str, Any] = {}
    wrong = [unknown(name, list(known)) for name in given if name not in known]
    for name in given.keys() & known.keys():
        try:
            values[name] = convert(given[name], type(known[name].default), known[name].metadata)
        except ValueError as error:
            wrong.append(f"{PREFIX}{name.upper()}={given[name]!r}: {error}")
    settings = Settings(**values)
    wrong += [
        f"{PREFIX}CORS_ORIGINS: {origin!r} is no origin such as https://example.org"
        for origin in settings.origins
        if not ORIGIN.fullmatch(origin)
    ]
    wrong += [
        f"{PREFIX}DEVICES: {name!r} is no device such as gpu:0, cpu:1 or cpu"
        for name in listed(settings.devices)
        if not DEVICE.fullmatch(name)
    ]
    wrong += [
        f"{PREFIX}FLEET: {name!r} is no server such as 10.0.0.1:8500"
        for name in settings.fleet_names
        if not SERVER.fullmatch(name)
    ]
    wrong += misplaced(settings)
    if len(set(settings.device_names)) < len(settings.device_names):
        wrong.append(f"{PREFIX}DEVICES={settings.devices!r} names a device twice")
    if bool(settings.certificate) != bool(settings.private_key):
        wrong.append(f"{PREFIX}CERTIFICATE and {PREFIX}PRIVATE_KEY go together")
    if settings.client_ca and not settings.certificate:
        wrong.append(f"{PREFIX}CLIENT_CA needs {PREFIX}CERTIFICATE")
    if settings.grpc_port and settings.grpc_port == settings.port:
        wrong.append(f"{PREFIX}GRPC_PORT={settings.grpc_port}: HTTP has that port")
    try:
        check(settings.store)
    except ValueError as error:
        wrong.append(f"{PREFIX}STORE: {error}")
    if wrong:
        raise BadSettings("\n".join(sorted(wrong)))
    return settings


def unknown(name: str, known: list[str]) -> str:
    """What is said of a name that is no setting.

    >>> unknown("workrs", ["port", "workers"]), unknown("colour", ["port", "workers"])
    ('MANIFOLD_WORKRS is no setting, did you mean MANIFOLD_WORKERS?', 'MANIFOLD_COLOUR is no setting')
    """
    near = difflib.get_close_matches(name, known, n=1)
    hint = f", did you mean {PREFIX}{near[0].upper()}?" if near else ""
    return f"{PREFIX}{name.upper()} is no setting{hint}"


def misplaced(settings: Settings) -> list[str]:
    """What contradicts a fleet, or lacks one."""
    if not settings.fleet:
        return [f"{PREFIX}PLACEMENT=tf_serving needs {PREFIX}FLEET"] if settings.placement == "tf_serving" else []
    contradicted = {
        "placement": settings.placement in ("worker", "device"),
        "engine": settings.engine == "onnx",
        "devices": bool(settings.devices),
    }
    return [
        f"{PREFIX}{name.upper()}={getattr(settings, name)}: {PREFIX}FLEET computes, and nothing here"
        for name, wrong in contradicted.items()
        if wrong
    ]


def is_service_link(name: str, text: str) -> bool:
    """Whether Kubernetes set a variable, as it does beside every Service called manifold or manifold-….

    >>> is_service_link("MANIFOLD_PORT", "tcp://10.0.0.1:8000"), is_service_link("MANIFOLD_PORT", "8000")
    (True, False)
    """
    return text.startswith("tcp://") or SERVICE_LINK.match(name) is not None


def convert(text: str, to: type, rules: Mapping[str, Any]) -> Any:
    """One value; ValueError says what was expected."""
    if to is str:
        if rules["choices"] and text not in rules["choices"]:
            raise ValueError(f"expected one of {', '.join(rules['choices'])}")
        return text
    try:
        number = to(text)
    except ValueError:
        raise ValueError(f"expected {'a whole number' if to is int else 'a number'}") from None
    if rules["least"] is not None and not number >= rules["least"]:
        raise ValueError(f"expected at least {rules['least']}")
    if number > rules["most"]:
        raise ValueError(f"expected at most {rules['most']}")
    return number
