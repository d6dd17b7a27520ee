"""Which two versions of a model are compared."""

from collections.abc import Mapping
from typing import NamedTuple

from service import schemas
from service.console.facts import answering
from service.handle import ModelHandle
from service.versions.catalog import Catalog

OTHER = "with"


class Pair(NamedTuple):
    """Numbers of two versions; None: as it comes."""

    first: int | None = None
    second: int | None = None


def asked(arguments: Mapping[str, str]) -> Pair:
    """What a query string says, ?version=3&with=2; InvalidInput."""
    first = schemas.query({name: value for name, value in arguments.items() if name != OTHER})
    second = schemas.query({"version": arguments[OTHER]}) if OTHER in arguments else schemas.Asked()
    return Pair(first.version, second.version)


def pair(catalog: Catalog, model: str, asked: Pair) -> tuple[ModelHandle, ModelHandle | None]:
    """The newest version and the one before, unless asked otherwise; None where only one answers.

    Raises ModelNotFound, VersionNotFound, ModelNotReady.
    """
    numbers = answering(catalog, model)
    first = catalog.get(model, asked.first or next(iter(numbers), None))
    before = [number for number in numbers if number < first.version]
    others = before or [number for number in numbers if number != first.version]
    second = asked.second or next(iter(others), None)
    return first, None if second is None else catalog.get(model, second)
