"""How a model reads texts, without asking it: how many words, and which of them it never saw.

A text is read as a prediction reads it, by the input's own tokenizer. It is read on the event loop and nothing waits in
line for it, so there is a limit to all texts of a request, and to what an answer shows of them.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from service import nested
from service.errors import Fault, InvalidInput
from service.fields import Tensor, Tokens
from service.schemas import MOST_FAULTS, MOST_POINTER, escape
from service.text import pieces
from service.wording import MOST_ECHOED, nearest

MOST_READ = 100_000
"""Characters of all texts of a request: 3 ms where all words have one letter, 1 ms where they have seven."""
MOST_SHOWN = 1_000
"""Words of a text in an answer."""
MOST_LETTERS = 100
"""Bytes of a word in an answer."""


def read(inputs: Mapping[str, Tensor], texts: Any) -> dict[str, Any]:
    """What becomes of each text, by input; InvalidInput names its faults."""
    if type(texts) is not dict:
        raise InvalidInput([Fault("", f"expected an object of named texts, got {nested.show(texts)}")])
    known = {name: field for name, field in inputs.items() if isinstance(field, Tokens)}
    found = (fault for name, text in texts.items() if (fault := wrong(name, text, inputs, known)) is not None)
    faults = list(islice(found, MOST_FAULTS))  # of a million strange names no more are looked at
    if not faults and (characters := sum(map(len, texts.values()))) > MOST_READ:
        faults = [Fault("", f"expected at most {MOST_READ} characters in all texts, got {characters}")]
    if faults:
        raise InvalidInput(faults)
    return {name: told(known[name], text) for name, text in texts.items()}


def wrong(name: str, text: Any, inputs: Mapping[str, Tensor], known: Mapping[str, Tokens]) -> Fault | None:
    """What is wrong with one text, or its name."""
    pointer = f"/{escape(name)}"[:MOST_POINTER]
    if name not in inputs:
        return Fault(pointer, f"unknown input {name[:MOST_ECHOED]!r}{nearest(name, list(known), 'texts')}")
    if name not in known:
        return Fault(pointer, f"{name!r} has no vocabulary; those with one are {', '.join(known) or 'none'}")
    return None if type(text) is str else Fault(pointer, f"expected a string, got {nested.show(text)}")


def told(field: Tokens, text: str) -> dict[str, Any]:
    """How one text is read: its first words as they are written, each with its id, and how many there are of all."""
    tokens, tokenizer = field.tokens, field.tokenizer
    ids = tokenizer.encode(text)
    shown = (piece[:MOST_LETTERS].decode(errors="ignore") for piece in pieces(text, MOST_SHOWN))
    return {
        "words": list(zip(shown, ids.tolist(), strict=False)),
        "count": int((ids != tokens.pad_id).sum()),
        "most": tokens.max_length if tokens.length is None else tokens.length,
        "unknown": int((ids == tokens.unknown_id).sum()),
    }
