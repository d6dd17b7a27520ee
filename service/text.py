"""Text to token ids, exactly as the SavedModel's own "text" signature does it (Keras' TextVectorization).

ASCII letters are lowered, ASCII punctuation is deleted, words are what ASCII white space separates; everything else is
left as it is. In bytes, so that letters beyond ASCII stay untouched, as in TensorFlow's kernels.
"""

import string
from pathlib import Path

import numpy as np

from service.tensors import Array

LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
PUNCTUATION = string.punctuation.encode()
MOST_CHARACTERS = 1_000_000
"""Of one text: a book has fewer, and a word takes thirty times its bytes in memory while it is looked up."""


def words(text: str) -> list[bytes]:
    """The words of a text.

    >>> words("Mary's  AT the (big) table.")
    [b'marys', b'at', b'the', b'big', b'table']
    """
    return text.encode().translate(LOWER, PUNCTUATION).split()


def pieces(text: str, most: int) -> list[bytes]:
    """The words among the first `most` pieces of a text, as they are written: those of `words`, in its order.

    >>> pieces("Mary's  AT - the (big) table.", 4)
    [b"Mary's", b'AT', b'the']
    """
    return [piece for piece in text.encode().split(None, most)[:most] if piece.translate(None, PUNCTUATION)]


class Tokenizer:
    """A vocabulary, in which the line number of a word, counted from 0, is its id."""

    def __init__(self, vocabulary: bytes, unknown_id: int = 1) -> None:
        self.ids = {word: number for number, word in enumerate(vocabulary.split(b"\n"))}
        self.unknown_id = unknown_id

    @classmethod
    def read(cls, file: Path, unknown_id: int = 1) -> "Tokenizer":
        """From a vocabulary file of an artifact; OSError if it cannot be read."""
        return cls(file.read_bytes().removesuffix(b"\n"), unknown_id)

    def reads_like(self, other: "Tokenizer") -> bool:
        """Whether every text becomes the same ids."""
        return (self.ids, self.unknown_id) == (other.ids, other.unknown_id)

    def encode(self, text: str) -> Array:
        """int32 ids, one per word.

        >>> Tokenizer(b"\\n[UNK]\\nthe\\ncat").encode("The cat sat").tolist()
        [2, 3, 1]
        """
        find, unknown = self.ids.get, self.unknown_id
        return np.array([find(word, unknown) for word in words(text)], np.int32)
