"""The service's own tokenizer against the one in the SavedModel's graph."""

import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.text import Tokenizer, words

WORDS = ["the", "cat", "naïve", "Über", "über", "日本", "a\0b", "i", "İ", "ß", "don", "dont", "\u00a0", "x\u3000y", "1"]
VOCABULARY = "\n".join(["", "[UNK]", *WORDS]).encode()
TOKENIZER = Tokenizer(VOCABULARY)

SPACES = st.sampled_from(
    [" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\x85", "\u00a0", "\u2003", "\u3000", "\0"]
)
PIECES = st.one_of(
    st.sampled_from([*WORDS, *(word.upper() for word in WORDS), *(word.title() for word in WORDS)]),
    st.sampled_from(list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")),
    st.sampled_from(["“", "…", "¡", "—", "’", "＿", "€"]),
    SPACES,
    st.text(max_size=3),
)
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text())


@pytest.fixture(scope="module")
def graph() -> keras.layers.TextVectorization:
    """Keras' layer, as training puts it into the "text" signature."""
    return keras.layers.TextVectorization(
        standardize="lower_and_strip_punctuation", split="whitespace", ragged=True, vocabulary=WORDS
    )


@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
@example(texts=["The CAT, the ÜBER-cat!", "\0", "", "a\0b A\0B", "don't [UNK] unk", "\x1cthe\x1fcat\x85i"])
def test_text_becomes_the_ids_that_the_graph_makes_of_it(graph, texts):
    for text, row in zip(texts, graph(texts), strict=True):
        assert TOKENIZER.encode(text).tolist() == row.numpy().tolist(), repr(text)


def test_ids_are_int32_even_of_nothing():
    assert TOKENIZER.encode("").dtype == np.int32
    assert TOKENIZER.encode(" .,").tolist() == []


def test_words_beyond_ascii_keep_their_case():
    assert words("ÜBER Cat") == ["Über".encode(), b"cat"]


def test_the_unknown_id_is_the_cards():
    assert Tokenizer(VOCABULARY, unknown_id=7).encode("zebra").tolist() == [7]


@pytest.mark.parametrize("end", [b"\n", b""], ids=["line end", "none"])
def test_a_vocabulary_file_is_read_line_by_line(tmp_path, end):
    file = tmp_path / "words.txt"
    file.write_bytes(VOCABULARY + end)
    assert Tokenizer.read(file).encode("the 1 naïve").tolist() == [2, len(WORDS) + 1, 4]


def test_carriage_returns_are_part_of_no_line_end(tmp_path):
    """A vocabulary that ends lines otherwise matches nothing, rather than the wrong thing."""
    file = tmp_path / "words.txt"
    file.write_bytes(b"\r\n[UNK]\r\nthe\r\n")
    assert Tokenizer.read(file).encode("the").tolist() == [1]
