"""What the document says of a model: its versions, each with its card, signature and an example row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.card import Card
from service.outputs import NumberOutput, Output, ProbabilitiesOutput, ProbabilityOutput
from service.signature import Signature, TensorSpec
from service.versions.catalog import Catalog

Schema = dict[str, Any]

HEADS: Mapping[str, tuple[type[Output], ...]] = {
    "classify": (ProbabilityOutput, ProbabilitiesOutput),
    "regress": (NumberOutput,),
}
"""The kinds of output that TensorFlow Serving's verbs can answer."""


@dataclass(frozen=True)
class Described:
    """One version that answers."""

    number: int
    card: Card
    signature: Signature
    example: Mapping[str, Any]

    def heads(self, verb: str) -> list[str]:
        """The outputs that a verb can answer."""
        return [name for name in self.signature.outputs if isinstance(self.card.outputs.get(name), HEADS[verb])]


@dataclass(frozen=True)
class Model:
    """The versions of a model that answer, newest first; at least one."""

    name: str
    versions: Sequence[Described]

    @property
    def newest(self) -> Described:
        """The version that answers where none is named."""
        return self.versions[0]

    @property
    def title(self) -> str:
        """A few words."""
        return self.newest.card.title or self.name

    @property
    def numbers(self) -> list[int]:
        """The versions' numbers."""
        return [version.number for version in self.versions]

    @property
    def description(self) -> str:
        """What its card says of it, and in which versions it is served."""
        told = str(self.newest.card.document.get("description", "")).strip()
        numbers = ", ".join(map(str, self.numbers))
        served_in = f"Served in version{'s' * (len(self.numbers) > 1)} {numbers}."
        return "\n\n".join(part for part in (self.title, told, served_in) if part)

    def either(self, schema: Callable[[Described], Schema]) -> Schema:
        """What a version's values look like; where versions differ, any of these."""
        return any_of(schema(version) for version in self.versions)


def served(catalog: Catalog) -> list[Model]:
    """The models that answer; of those still loading, nothing is known yet."""
    found = []
    for name in catalog.models():
        handles = [handle for one in catalog.versions(name).values() if (handle := one.handle) is not None]
        if handles:
            described = [Described(one.version, one.card, one.signature, one.rows.example) for one in handles]
            found.append(Model(name, described))
    return found


def any_of(schemas: Iterable[Schema]) -> Schema:
    """Any of these, each named once; the schema itself where there is but one.

    >>> any_of([{"type": "string"}, {"type": "string"}])
    {'type': 'string'}
    """
    different: list[Schema] = []
    for schema in schemas:
        if schema not in different:
            different.append(schema)
    return different[0] if len(different) == 1 else {"anyOf": different}


def named(specs: Mapping[str, TensorSpec], schema: Callable[[TensorSpec], Schema], *, required: bool = True) -> Schema:
    """An object with a member per tensor, all of them, or, not `required`, at least one."""
    return {
        "type": "object",
        "properties": {name: schema(spec) for name, spec in specs.items()},
        **({"required": list(specs)} if required else {"minProperties": 1}),
        "additionalProperties": False,
    }


def ref(section: str, name: str) -> Schema:
    """A component by its name.

    >>> ref("schemas", "toy.row")
    {'$ref': '#/components/schemas/toy.row'}
    """
    return {"$ref": f"#/components/{section}/{name}"}
