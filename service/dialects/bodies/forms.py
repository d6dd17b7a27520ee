"""Which form a body of the native dialect has, and which its answer is to have: JSON, MessagePack or .npz."""

from collections.abc import Mapping
from functools import lru_cache

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

JSON = "application/json"
MSGPACK = "application/msgpack"
NPZ = "application/x-npz"

FORMS: Mapping[str, str] = {
    JSON: JSON,
    MSGPACK: MSGPACK,
    "application/vnd.msgpack": MSGPACK,
    "application/x-msgpack": MSGPACK,
    NPZ: NPZ,
}
"""The forms by all their names."""


@lru_cache(256)
def sent(content_type: str) -> str:
    """The form of a body by its Content-Type; JSON is whatever calls itself otherwise, as curl's bodies do.

    >>> sent("application/x-msgpack"), sent("application/x-www-form-urlencoded")
    ('application/msgpack', 'application/json')
    """
    return FORMS.get(content_type.partition(";")[0].strip().lower(), JSON)


@lru_cache(256)
def wanted(accept: str, form: str) -> str:
    """The form of an answer by its Accept header; among equals that of the body, which it also is if none is liked.

    >>> wanted("application/x-npz, */*;q=0.1", JSON), wanted("*/*", NPZ), wanted("text/html", NPZ)
    ('application/x-npz', 'application/x-npz', 'application/x-npz')
    """
    likes = parse_accept_header(accept, MIMEAccept)
    best = max(FORMS, key=lambda name: (likes.quality(name), FORMS[name] == form))
    return FORMS[best] if likes.quality(best) > 0 else form
