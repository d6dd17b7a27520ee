"""How this service's processes log: as gunicorn does, or a line of JSON each."""

import contextlib
import json
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import orjson

from service.redact import plain
from service.telemetry.record import CURRENT

LOG = logging.getLogger("manifold")
TEXT = logging.Formatter("[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s", datefmt="%Y-%m-%d %H:%M:%S %z")


class Fields(dict[str, Any]):
    """A message in fields: those of a line in JSON, JSON in a line of text."""

    def __str__(self) -> str:
        return dump(self)


class Json(logging.Formatter):
    """One object a line; whatever a message has in it, it adds no line, and nothing that a terminal heeds."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
        }
        line |= record.msg if isinstance(record.msg, Fields) else {"message": message(record)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        request = CURRENT.get()
        if request is not None:
            line["request_id"] = request.request_id
            if request.trace_id:
                line["trace_id"] = request.trace_id
        return dump(line)


def message(record: logging.LogRecord) -> str:
    """What a line says; of one that cannot be put together, its parts."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg!r} {record.args!r}"


def dump(fields: dict[str, Any]) -> str:
    """JSON in printable ASCII.

    >>> dump({"path": "/caf\\u00e9\\n\\u2028\\udce9"})
    '{"path": "/caf\\\\u00e9\\\\n\\\\u2028?"}'
    """
    with contextlib.suppress(orjson.JSONEncodeError):  # it takes no half characters; of all else most is ASCII
        text = orjson.dumps(fields, default=str).decode()
        if text.isascii() and text.isprintable():
            return text
    careful = json.dumps(
        {name: plain(value) if isinstance(value, str) else value for name, value in fields.items()}, default=str
    )
    return careful.replace("\x7f", "\\u007f")  # the one control character that JSON may have as it is


JSON = Json()


def formatter(log_format: str) -> logging.Formatter:
    """The one of a setting."""
    return JSON if log_format == "json" else TEXT


def begin(level: str, log_format: str = "text") -> None:
    """Log to stderr, from this level on; in JSON also what Python itself has to say."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if log_format == "json":
        logging.captureWarnings(True)
        sys.excepthook = lambda kind, error, trace: LOG.critical("uncaught", exc_info=(kind, error, trace))
        threading.excepthook = told


def told(failed: threading.ExceptHookArgs) -> None:
    """The log has the end of a thread that nobody expected."""
    if failed.exc_value is not None:
        LOG.error("a thread has failed", exc_info=failed.exc_value)
