"""What was published, for the terminal: how it was understood, what was checked, what to do next."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from service import golden
from service.numbers import count
from training.reports.terminal import no_better, table

MOST_SHOWN, MOST_REASON, LONGEST = 5, 120, 400
"""Labels in a line; characters of a reason, and of a request that is worth showing."""


def lines(folder: Path) -> Iterator[str]:
    """Every input and output of a published version, its twin, how good it is, and what to beware of."""
    card = _card(folder)
    inputs, outputs = golden.read(folder)[0]
    for side, arrays in (("inputs", inputs), ("outputs", outputs)):
        for name, array in arrays.items():
            dtype = "string" if array.dtype.kind == "O" else array.dtype.name
            yield f"  {side[:-1]:6}  {name}: {meaning(card[side].get(name))}, {dtype}"
    verified = card["verified"]
    twin = verified["twin"]
    agreed = (
        f"agrees to {twin['largest_difference']:.1g}, over {count(verified['rows'], 'row')}" if twin["kept"] else ""
    )
    yield f"  twin    {agreed or 'none, so TensorFlow serves it: ' + twin['reason'][:MOST_REASON]}"
    off = verified["batch_invariance"]["largest_difference"]
    if card["metrics"]:
        yield table(card["metrics"], {name: spec.get("unit") for name, spec in card["outputs"].items()})
    yield from no_better(card["metrics"])
    if not off <= golden.TOLERANCE:
        yield f"warning: an answer moves by up to {off:.2g} with the rows that share its batch, other clients' too"


def next_steps(folder: Path) -> Iterator[str]:
    """How to serve it, and ask it if its example is short."""
    card, store = _card(folder), folder.parent.parent
    yield f"serve it:  .venv/bin/python -m service serve --store {shlex.quote(str(store))}"
    inputs, _ = golden.read(folder)[0]
    asked = json.dumps({name: spec["example"] for name, spec in card["inputs"].items()}, ensure_ascii=False)
    if len(asked) <= LONGEST and inputs.keys() == card["inputs"].keys():
        yield f"ask it:    curl -s 127.0.0.1:8000/predict/{card['model']} -d {shlex.quote(asked)}"


def _card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / "assets.extra/card.json").read_text("utf-8"))
    return card


def meaning(spec: Mapping[str, Any] | None) -> str:
    """How the card understands an input or output.

    >>> meaning({"kind": "probabilities", "labels": list("abcdefg")}), meaning({"kind": "number"}), meaning(None)
    ('probabilities of a, b, c, d, e, …', 'number', 'as the signature has it')
    """
    if spec is None:
        return "as the signature has it"
    labels = spec.get("labels", [])
    listed = ", ".join([*labels[:MOST_SHOWN], *(["…"] if len(labels) > MOST_SHOWN else [])])
    return f"{spec['kind']} of {listed}" if labels else str(spec["kind"])
