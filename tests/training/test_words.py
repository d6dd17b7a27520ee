"""Our words and ids are the graph's."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training import words

KNOWN = ["", "[UNK]", "mary", "marys", "the", "é", "a"]
TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("Mary's THE é É\t\n\v\f\r\x1c\u00a0\u2028.,_'[]…"))


@pytest.fixture(scope="module")
def graph():
    layer = keras.layers.TextVectorization(
        standardize="lower_and_strip_punctuation", split="whitespace", vocabulary=KNOWN[2:]
    )
    return lambda text: np.asarray(layer([text]))[0]


@settings(deadline=None, max_examples=150)
@given(text=TEXT)
def test_a_text_has_the_ids_that_text_vectorization_gives_it(graph, text):
    assert words.ids(text, words.index(KNOWN), None).tolist() == graph(text).tolist()


def test_a_fixed_length_is_padded_at_the_end_or_cut():
    known = words.index(KNOWN)

    assert words.ids("Mary, the", known, 4).tolist() == [2, 4, 0, 0]
    assert words.ids("the the the Mary", known, 3).tolist() == [4, 4, 4]


def test_no_text_can_name_padding_or_the_unknown_word():
    assert set(words.ids("[UNK] unk", words.index(KNOWN), None).tolist()) == {words.UNKNOWN_ID}


def test_frequent_words_come_first_and_words_seen_once_stay_unknown():
    assert words.vocabulary(["b a a", "b a c"], 10) == ["", "[UNK]", "a", "b"]


def test_a_vocabulary_holds_no_more_words_than_the_embedding_has_rows():
    assert words.vocabulary(["c c b b b a a a"], 4) == ["", "[UNK]", "a", "b"]
