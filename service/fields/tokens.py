"""Inputs of words."""

import contextlib
from typing import Any

import numpy as np

from service import nested
from service.card import TokensInput
from service.fields.tensor import Tensor
from service.nested import Misfit
from service.signature import TensorSpec
from service.tensors import Array
from service.text import MOST_CHARACTERS, Tokenizer

WORDS = "a string or a list of token ids"


class Tokens(Tensor):
    """One row of words: a string, or a list of token ids."""

    def __init__(self, spec: TensorSpec, tokens: TokensInput, tokenizer: Tokenizer) -> None:
        super().__init__(spec, WORDS)
        self.unsigned = np.dtype(f"u{spec.dtype.itemsize}")
        self.tokens = tokens
        self.tokenizer = tokenizer

    def array(self, value: Any) -> Array:
        """int ids (length,): masked padding is left out, so that an id list padded by its sender is answered alike."""
        ids = self._words(value) if isinstance(value, str) else self._ids(value)
        ids = ids.astype(self.spec.dtype, copy=False)
        is_word = ids if self.tokens.pad_id == 0 else ids != self.tokens.pad_id
        words = np.count_nonzero(is_word)
        if words == 0:
            raise Misfit((), "expected at least one word")
        if self.tokens.length is not None:
            return resize(ids, self.tokens.length, self.tokens.pad_id)
        if words > self.tokens.max_length:
            raise Misfit((), f"expected at most {self.tokens.max_length} words, got {words}")
        return ids if words == len(ids) else ids[is_word != 0]

    def alike(self, other: Tensor) -> bool:
        if not isinstance(other, Tokens) or not super().alike(other):
            return False
        mine, its = self.tokens, other.tokens
        padded = (mine.length, mine.pad_id) == (its.length, its.pad_id)
        return padded and self.tokenizer.reads_like(other.tokenizer)

    def _words(self, value: str) -> Array:
        if len(value) > MOST_CHARACTERS:
            raise Misfit((), f"expected at most {MOST_CHARACTERS} characters, got {len(value)}")
        return self.tokenizer.encode(value)

    def _ids(self, value: Any) -> Array:
        if type(value) is list and set(map(type, value)) == {int}:
            with contextlib.suppress(OverflowError):
                ids = np.array(value, self.spec.dtype)
                # A negative id becomes a huge one: one comparison for both ends.
                if np.maximum.reduce(ids.view(self.unsigned)) < self.tokens.words:
                    return ids
        return self._checked(value)

    def _checked(self, value: Any) -> Array:
        """The same for whatever else it may be; Misfit names the culprit."""
        if not isinstance(value, list | np.ndarray):
            raise self.other(value)
        if len(value) and isinstance(value[0], str):
            raise Misfit((), f"expected {WORDS}, got a list of strings; several rows are a list of objects")
        ids = nested.to_array(value, np.dtype(np.int64), (None,))
        strange = (ids < 0) | (ids >= self.tokens.words)
        if strange.any():
            wrong = int(np.flatnonzero(strange)[0])
            raise Misfit((wrong,), f"expected a token id from 0 to {self.tokens.words - 1}, got {ids[wrong]}")
        return ids


def resize(ids: Array, length: int, pad_id: int) -> Array:
    """Cut or padded at the end.

    >>> resize(np.array([5, 6]), 4, 0).tolist(), resize(np.array([5, 6, 7]), 2, 0).tolist()
    ([5, 6, 0, 0], [5, 6])
    """
    resized = np.full(length, pad_id, ids.dtype)
    resized[: len(ids)] = ids[:length]
    return resized
