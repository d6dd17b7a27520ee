"""What TensorFlow Serving refuses in its own words, over REST and gRPC alike."""

from service.errors import ServiceError
from service.handle import ModelHandle
from service.versions.catalog import Catalog
from service.wording import MOST_ECHOED

DEFAULT = "serving_default"
WORDS = "text"
"""The signature of strings, where an input is text."""


class Malformed(ServiceError):
    """Not a request of this API, or one its server refuses as an invalid argument."""

    status = 400
    title = "Malformed request"
    slug = "malformed-request"


class Unimplemented(ServiceError):
    """Part of the API that is not served here."""

    status = 501
    title = "Unimplemented"
    slug = "unimplemented"


def check_signature(handle: ModelHandle, name: str) -> None:
    """Malformed if the model has no such signature; that of words takes ids as well, and the default one words."""
    if name not in ("", DEFAULT) and not (name == WORDS and handle.card.has_words):
        raise Malformed(f'Serving signature name: "{name[:MOST_ECHOED]}" not found in signature def')


def labelled(catalog: Catalog, model: str, label: str) -> int:
    """The version that a label names; Malformed."""
    version = catalog.policy(model).labels.get(label)
    if version is None:
        raise Malformed(f"Unrecognized servable version label: {label[:MOST_ECHOED]}")
    return version
