"""What a path of TensorFlow Serving's REST API names: a model, its version by number or label, what is asked of it."""

import re
from functools import lru_cache

from service.dialects.tfs.errors import Malformed, labelled
from service.errors import ModelNotFound, VersionNotFound
from service.handle import ModelHandle
from service.versions.catalog import Catalog

MODEL = r"models(?:/(?P<model>[^/:]+))?(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
PREDICT = re.compile(MODEL + r":(?P<verb>classify|regress|predict)", re.IGNORECASE)
STATUS = re.compile(MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
MOST_VERSION = 2**63 - 1


@lru_cache(1024)
def asked(path: str) -> re.Match[str] | None:
    """Of which model a path asks what, if it does."""
    return PREDICT.fullmatch(path)


@lru_cache(1024)
def model_in(path: str) -> str | None:
    """The model that a path names, if it does.

    >>> model_in("models/qa/versions/2:predict"), model_in("models/qa"), model_in("models/qa/elsewhere")
    ('qa', 'qa', None)
    """
    match = asked(path) or STATUS.fullmatch(path)
    return match["model"] if match else None


@lru_cache(1024)
def template(path: str) -> str:
    """The route of a path: names in the place of what varies; "" where there is none.

    >>> template("models/qa/versions/2:predict"), template("models/qa/metadata"), template("models/qa/elsewhere")
    ('/v1/models/<model>/versions/<version>:predict', '/v1/models/<model>/metadata', '')
    """
    match = asked(path) or STATUS.fullmatch(path)
    if match is None:
        return ""
    for name in ("label", "version", "model"):  # from the last to the first, so that places stay
        if match[name] is not None:
            path = f"{path[: match.start(name)]}<{name}>{path[match.end(name) :]}"
    return f"/v1/{path.lower()}"


def find(catalog: Catalog, match: re.Match[str]) -> ModelHandle:
    """The handle a path names; its errors in the words of TensorFlow Serving."""
    name, version = target(catalog, match)
    try:
        return catalog.get(name, version)
    except (ModelNotFound, VersionNotFound) as error:
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise type(error)(f"Servable not found for request: {asked}") from None


def target(catalog: Catalog, match: re.Match[str]) -> tuple[str, int | None]:
    """Model name and version of a path."""
    if match["model"] is None:
        raise Malformed("Missing model name in request.")
    if match["label"] is not None:
        return match["model"], labelled(catalog, match["model"], match["label"])
    if match["version"] is None:
        return match["model"], None
    digits = match["version"].lstrip("0") or "0"
    if len(digits) > len(str(MOST_VERSION)) or int(digits) > MOST_VERSION:
        raise Malformed(f"Failed to convert version: {match['version']} to numeric.")
    return match["model"], int(digits)
