"""What the page of all models says of each, whether or not it answers: plain data, for templates."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from service import redact
from service.console import words
from service.handle import ModelHandle
from service.numbers import digits
from service.versions.catalog import Catalog
from service.versions.policy import Policy
from service.versions.served import Served, State

if TYPE_CHECKING:
    from service.live.samples import Rates

Card = dict[str, Any]
"""Of one model: its words, and a list of its versions."""

STATES: Mapping[State, tuple[str, str]] = {
    State.START: ("waiting to be loaded", "busy"),
    State.LOADING: ("loading…", "busy"),
    State.AVAILABLE: ("ready", "good"),
    State.UNLOADING: ("draining", "busy"),
    State.END: ("unloaded", ""),
}
"""How a version stands, and how that looks."""


def cards(catalog: Catalog, may_see: Callable[[str], bool], rates: "Rates") -> list[Card]:
    """Of all models that one may see."""
    seen = filter(may_see, catalog.models())
    return [{**card(model, catalog), "rate": rate(rates.get(model, {}))} for model in seen]


def card(model: str, catalog: Catalog) -> Card:
    """Of one model, by its newest version that answers; ModelNotFound."""
    versions = catalog.versions(model)
    answering = [one.handle for one in versions.values() if one.handle is not None]
    policy = catalog.policy(model)
    return {
        "name": model,
        "title": model,
        "versions": [version(served, policy) for served in versions.values()],
        "answering": len(answering),
        **(meaning(answering[0]) if answering else {}),
    }


def meaning(handle: ModelHandle) -> Card:
    """What only a loaded version can tell."""
    document = handle.card.document
    inputs, outputs = document.get("inputs", {}), document.get("outputs", {})
    return {
        "title": handle.card.title or handle.model,
        "description": document.get("description", ""),
        "inputs": phrase(words.of_input(inputs.get(name, {}), spec) for name, spec in handle.signature.inputs.items()),
        "outputs": phrase(
            words.of_output(outputs.get(name, {}), spec) for name, spec in handle.signature.outputs.items()
        ),
        "engine": handle.engine.name,
        "device": handle.engine.device,
    }


def version(served: Served, policy: Policy) -> Card:
    """How one version stands, why if it does not answer, and what is asked of it."""
    state, look = STATES[served.state]
    reason = redact.line(served.trouble) if served.error or (served.handle and served.trouble) else ""
    if reason:
        state, look = ("refused" if served.error else "not answering"), "bad"
    number = served.version.number
    return {"number": number, "state": state, "look": look, "reason": reason, "labels": roles(number, policy)}


def roles(number: int, policy: Policy) -> list[str]:
    """The labels of a version, and whether it answers some requests, or none that anybody sees."""
    found = [label for label, labelled in policy.labels.items() if labelled == number]
    if policy.canary is not None and policy.canary.version == number:
        found.append(f"canary: {policy.canary.percent:g} % of requests")
    if policy.shadow == number:
        found.append("shadow: only compared")
    return found


def rate(found: Mapping[str, float | None]) -> str:
    """How often a model is asked, and how long half of the answers take at most; "" where nobody asks.

    >>> rate({"requests_per_second": 12.34, "p50_ms": 1.2345}), rate({"requests_per_second": 0.05}), rate({})
    ('12.3 requests a second, 1.23 ms each', '3 requests a minute', '')
    """
    often, half = found.get("requests_per_second"), found.get("p50_ms")
    if not often:
        return ""
    slow = often < 1
    much, of = (60 * often, "minute") if slow else (often, "second")
    asked = digits(round(much) if slow else much, 3)
    times = "" if half is None else f", {digits(half, 3)} ms each"
    return f"{asked} request{'' if asked == '1' else 's'} a {of}{times}"


def phrase(kinds: Iterable[str]) -> str:
    """Words for several, those that are alike counted.

    >>> phrase(["text", "text", "number"]), phrase(["one of 27"]), phrase(["60 numbers", "60 numbers"])
    ('2 texts, number', 'one of 27', '60 numbers twice')
    """
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(kind if count == 1 else words.several(count, kind) for kind, count in counts.items())
