"""Where a version comes from, and what was checked on its finished files, in plain words."""

from collections.abc import Iterator, Mapping
from typing import Any

from service.console.facts import Facts
from service.console.report.metrics import FIGURES
from service.console.report.words import day, lasting, listed
from service.numbers import count, digits

PROGRAMS = {"python": "Python", "tensorflow": "TensorFlow", "keras": "Keras", "manifold": "Manifold"}


def provenance(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each fact and what it is called."""
    if "provenance" not in card:
        return []
    told = card["provenance"]
    versions = [f"{PROGRAMS.get(name, name)} {version}" for name, version in told["versions"].items()]
    return [
        *(brought(told) if is_brought(card) else training(told)),
        ("Made", day(told["created"])),
        ("Made with", listed(versions)),
        ("Parameters", f"{card['parameters']:,}"),
    ]


def is_brought(card: Mapping[str, Any]) -> bool:
    """Whether it was trained elsewhere, and published from a file."""
    return "file" in card["provenance"]


def training(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of a model that was trained here."""
    rows = told["rows"]
    trained = f"{count(told['epochs'], 'epoch')}, " if told["epochs"] else "no epoch: its weights are given, "
    return [
        ("Data", told["data"]),
        ("Rows", f"{rows['train']:,} to train on, {rows['validation']:,} to watch by, {rows['test']:,} to judge by"),
        ("Training", f"{trained}{lasting(told['seconds'])} in all; preset {told['preset']}, seed {told['seed']}"),
    ]


def brought(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of one that was trained elsewhere."""
    return [("File", told["file"]), ("Tried on", told["data"]), ("Published", f"in {lasting(told['seconds'])}")]


def verified(card: Mapping[str, Any]) -> list[Facts]:
    """Each check: whether it holds, and what came out. Not every copy is worth keeping, which is no fault."""
    if "verified" not in card:
        return []
    return list(checks(card["verified"], card["outputs"]))


def checks(told: Mapping[str, Any], outputs: Mapping[str, Any]) -> Iterator[Facts]:
    """In the order in which they matter."""
    rows = count(told["rows"], "row")
    alone = apart(told["batch_invariance"]["largest_difference"])
    yield check("One row or many", f"Rows asked alone and together get the same answers: {alone}, over {rows}.")
    twin = told["twin"]
    if twin["kept"]:
        yield check("Copy without TensorFlow", f"The ONNX copy answers alike: {apart(twin['largest_difference'])}.")
    else:
        yield check("Copy without TensorFlow", f"There is none: {twin['reason']}.", kept=False)
    reduced = told.get("reduced")
    if reduced and reduced["kept"]:
        yield check("Quicker copy", quicker(reduced, outputs))
    elif reduced:
        yield check("Quicker copy", f"None of reduced precision was kept: {reduced['reason']}.", kept=False)


def check(title: str, text: str, *, kept: bool = True) -> Facts:
    return {"title": title, "text": text, "kept": kept}


def apart(difference: float) -> str:
    """How far two answers may be from each other.

    >>> apart(0.0), apart(0.0036)
    ('no difference at all', 'at most 0.0036 apart')
    """
    return f"at most {digits(difference)} apart" if difference else "no difference at all"


def quicker(reduced: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    """What reduced precision wins, and costs."""
    text = f"With reduced precision it computes {digits(reduced['speedup'])} times as many rows a second; "
    text += f"answers are {apart(reduced['largest_difference'])}."
    for name, told in (reduced["metrics"] or {}).items():
        figure, title = FIGURES[told["figure"]], outputs.get(name, {}).get("title") or name
        before, after = figure.reads(told["before"]), figure.reads(told["after"])
        text += f" {title}: {figure.title.lower()} {after} instead of {before}."
    return text
