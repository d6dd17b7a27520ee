"""Whether what records traces is here; light enough for the parent of the workers."""

from collections.abc import Mapping
from importlib.util import find_spec

from service.settings import PREFIX, BadSettings

LIBRARIES: Mapping[str, str] = {
    "opentelemetry.sdk.trace": "opentelemetry-sdk",
    "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
}
"""What the extra `telemetry` installs, by the names that are imported."""


def check_installed(libraries: Mapping[str, str] = LIBRARIES) -> None:
    """BadSettings if traces cannot be recorded here."""
    missing = [library for name, library in libraries.items() if not installed(name)]
    if missing:
        raise BadSettings(f"{PREFIX}TRACES=on: {', '.join(missing)} not installed here (deploy/requirements/slim.txt)")


def installed(name: str) -> bool:
    """Whether a module can be imported, as far as its packages tell.

    >>> installed("logging.handlers"), installed("nowhere.at.all")
    (True, False)
    """
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
