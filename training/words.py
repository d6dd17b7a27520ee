"""Text to words to ids, exactly as the exported "text" signature does it in its graph.

    "Where is Mary?"  ─ split ─▶  ["where", "is", "mary"]  ─ ids ─▶  [7, 2, 31]

Keras' `lower_and_strip_punctuation` knows ASCII only, so "É" stays as it is and "…" is no punctuation.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

PAD_ID, UNKNOWN_ID = 0, 1
UNKNOWN = "[UNK]"
RARE = 2  # A word seen fewer times than this stays unknown, so that the row of unknown words is learnt as well.

_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_STANDARD = str.maketrans(_UPPER, _LOWER, "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'")
_SPACES = str.maketrans("\t\n\v\f\r", "     ")


def split(text: str) -> list[str]:
    """The words of a text.

    >>> split("Where's Mary?  In the KITCHEN…")
    ['wheres', 'mary', 'in', 'the', 'kitchen…']
    """
    return [word for word in text.translate(_STANDARD).translate(_SPACES).split(" ") if word]


def vocabulary(texts: Iterable[str], size: int) -> list[str]:
    """The words that get an id, most frequent first; a word's place is its id, 0 being padding and 1 the unknown.

    >>> vocabulary(["a b b", "b c c"], 10)
    ['', '[UNK]', 'b', 'c']
    """
    counts = Counter(word for text in texts for word in split(text))
    often = sorted((word for word, count in counts.items() if count >= RARE), key=lambda word: (-counts[word], word))
    return ["", UNKNOWN, *often[: size - 2]]


def index(words: Sequence[str]) -> dict[str, int]:
    """Ids by word, without padding and the unknown, which no text can name."""
    return {word: number for number, word in enumerate(words) if number > UNKNOWN_ID}


def ids(text: str, known: Mapping[str, int], length: int | None) -> NDArray[np.int32]:
    """The ids of a text, (t,); with a `length`, zeros at the end or a cut make it exactly that long."""
    found = [known.get(word, UNKNOWN_ID) for word in split(text)][:length]
    padding = [PAD_ID] * (length - len(found)) if length is not None else []
    return np.asarray(found + padding, dtype=np.int32)
