"""All that the page of a report shows, as plain data. What is broken is said to be so, part by part."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from service.console.facts import Facts
from service.console.report import bars, checks, gallery, metrics, pictures, spread
from service.drift import report as drifts
from service.handle import ModelHandle


def document(handle: ModelHandle, version: Path) -> Facts:
    """Of one version that answers, and its folder. Each part is None where the card cannot be read."""
    card = handle.card.document
    recorded = pictures.record(version)
    report, found = recorded or {}, pictures.found(version)
    parts = {
        "metrics": metrics.outputs,
        "provenance": checks.provenance,
        "verified": checks.verified,
        "losses": bars.losses,
        "findings": bars.findings,
        "spread": spread.sides,
    }
    return {
        "has_card": bool(card),
        "brought": part(checks.is_brought, card),
        "unreadable": recorded is None,
        "layers": gallery.layer_graph(found, report, card),
        "pictures": gallery.gallery(found, report, card),
        "drift": drift(handle),
        **{name: part(tell, card) for name, tell in parts.items()},
    }


def part(tell: Callable[[Mapping[str, Any]], Any], card: Mapping[str, Any]) -> Any:
    """What one part of the page shows; None if the card makes no sense there."""
    try:
        return tell(card)
    except gallery.BROKEN:
        return None


def drift(handle: ModelHandle) -> Facts:
    """What is asked of late, beside this: the verdict of the whole, and of every feature by "side/name/feature"."""
    told = drifts.document(handle.card.document, handle.watched)
    verdicts = {
        f"{side}/{name}/{one['feature']}": one["verdict"]
        for side in ("inputs", "outputs")
        for name, features in told[side].items()
        for one in features
    }
    return {"verdict": told["verdict"], "reason": told.get("reason", ""), "verdicts": verdicts}
