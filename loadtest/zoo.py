"""python -m loadtest.zoo URL > docs/zoo.md: every model that a service serves, told by its card and its own answer."""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import requests

LONG, SHORT = 600, 60
"""Characters of a value above which it is cut, and what then stands of it; a picture in base64 has thousands."""

FIGURES = {"accuracy": "accuracy", "pearson": "Pearson", "mae": "MAE"}
"""The first of these that an output has stands in the table."""

HEAD = """# The zoo

The newest version of every model, trained with the quick preset and seed 0 on {cores} by `make zoo`; earlier versions,
where there are some, are in [models.md](models.md). Written by
`python -m loadtest.zoo URL > docs/zoo.md` from the models' cards and from what the service answers; not by hand.
Figures are of held-out rows, beside the trivial rule in brackets; seconds are of the whole run, from reading the rows
to the published version. `layers.png` in `assets.extra/report/` of a version's folder draws its layers, and the other
pictures there how it learnt and where it errs.

| model, version | inputs | outputs | parameters | held out (trivial rule) | engine | seconds |
|---|---|---|--:|---|---|--:|
"""

Document = Mapping[str, Any]


def main(url: str) -> int:
    """Print the document; requests.HTTPError if a model does not answer its example."""
    told = []
    for model in get(f"{url}/models"):
        details = get(f"{url}/models/{model['name']}")
        answer = requests.post(f"{url}{model['predict']}", json=details["example"], timeout=60)
        answer.raise_for_status()
        told.append((details["card"], answer.json(), model["versions"][0]["engine"]))
    told.sort(key=lambda entry: str(entry[0]["model"]))
    sys.stdout.write(document(told, "2 cores"))
    return 0


def get(url: str) -> Any:
    """The JSON at an address."""
    response = requests.get(url, timeout=10)
    response.raise_for_status()
    return response.json()


def document(told: Iterable[tuple[Document, Document, str]], cores: str) -> str:
    """The whole document from cards, their examples' answers and their engines."""
    entries = list(told)
    rows = "".join(row(card, engine) for card, _, engine in entries)
    return HEAD.format(cores=cores) + rows + "".join(section(card, answer) for card, answer, _ in entries)


def row(card: Document, engine: str) -> str:
    """A model's line in the table."""
    name = f"[{card['model']}](#{card['model']})"
    version = f" {card['version']}" if card["version"] > 1 else ""
    inputs = ", ".join(f"`{name}` {kind(spec)}" for name, spec in card["inputs"].items())
    outputs = ", ".join(f"`{name}` {meaning(spec)}" for name, spec in card["outputs"].items())
    held = "; ".join(figure(name, card) for name in card["outputs"])
    seconds = card["provenance"]["seconds"]
    return f"| {name}{version} | {inputs} | {outputs} | {card['parameters']:,} | {held} | {engine} | {seconds:.0f} |\n"


def kind(spec: Document) -> str:
    """What an input takes.

    >>> kind({"kind": "numbers", "dims": [None, 128]})
    'any × 128 numbers'
    """
    match spec["kind"]:
        case "tokens" | "text":
            return "text"
        case "image":
            return f"picture {spec['width']} × {spec['height']}" + (" × 3" if spec["channels"] == 3 else "")
        case "category":
            return f"one of {len(spec['labels'])} labels"
    return size(spec)


def meaning(spec: Document) -> str:
    """What an output says."""
    match spec["kind"]:
        case "probability":
            return " or ".join(spec["labels"])
        case "probabilities":
            return f"one of {len(spec['labels'])} labels"
        case "numbers":
            return size(spec)
    return f"({spec['unit']})" if spec["unit"] else "a number"


def size(spec: Document) -> str:
    """How many numbers, and of what."""
    sizes = " × ".join("any" if size is None else str(size) for size in spec["dims"])
    return f"{sizes} numbers" if sizes else "a number"


def figure(name: str, card: Document) -> str:
    """An output's first figure and the trivial rule's."""
    found = card["metrics"][name]
    key = next(key for key in FIGURES if key in found)
    unit = card["outputs"][name].get("unit")
    title = f"{name} {FIGURES[key]}" if len(card["outputs"]) > 1 else FIGURES[key]
    return f"{title} {shown(found[key])} ({shown(found['baseline'][key])})" + (
        f" {unit}" if unit and key == "mae" else ""
    )


def shown(value: float | None) -> str:
    """A figure with three digits that count.

    >>> shown(0.99123), shown(44.02), shown(0.00001234), shown(None)
    ('0.991', '44.0', '1.2e-05', '-')
    """
    if value is None:
        return "-"
    if 0 < abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:#.3g}"


def section(card: Document, answer: Document) -> str:
    """What a model is, what it showed, and one request with its answer."""
    parts = [f"\n## {card['model']}\n\n{card['description']}\n\nData: {card['provenance']['data']}.\n"]
    parts += [f"\n{line}\n" for line in findings(card)]
    twin = card["verified"]["twin"]
    if not twin["kept"]:
        parts.append(f"\nServed by TensorFlow: the twin for ONNX Runtime was {twin['reason']}.\n")
    return "".join([*parts, "\n```\n", *asked(card), json.dumps(rounded(answer), ensure_ascii=False), "\n```\n"])


def asked(card: Document) -> Iterator[str]:
    """The example as a command; where a value is too long to read, the command takes it from the service."""
    predict = f"curl -s localhost:8000/predict/{card['model']} -H 'Content-Type: application/json' -d"
    example = {name: spec["example"] for name, spec in card["inputs"].items()}
    short = {name: shortened(value) for name, value in example.items()}
    body = json.dumps(short, ensure_ascii=False)
    if short == example:
        yield f"{predict} {shlex.quote(body)}\n"
    else:
        yield f"# {body}\n"
        yield f"curl -s localhost:8000/models/{card['model']} | jq .example | {predict} @-\n"


def findings(card: Document) -> Iterator[str]:
    """A line for each thing the model showed."""
    for finding in card["findings"]:
        unit = f" ({finding['unit']})" if finding["unit"] else ""
        figures = ", ".join(f"{name} {shown(value)}" for name, value in finding["figures"].items())
        yield f"{finding['title']}{unit}: {figures}."


def shortened(value: Any) -> Any:
    """An input as the document shows it: a picture's base64 and long lists of numbers are cut, and so marked."""
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= LONG or (isinstance(value, str) and " " in value):
        return value
    return f"{text[:SHORT]}… ({len(text):,} characters)"


def rounded(value: Any) -> Any:
    """An answer with six digits a number."""
    if isinstance(value, Mapping):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of the service, such as http://127.0.0.1:8000")
    sys.exit(main(parser.parse_args().url))
