"""Which one word answers a question about a text.

Version 1, as published: two encoders that never meet before the last layer.

    text     (n, t) int32 ─ embed 64 ─ LSTM 32 ─┐
    question (n, u) int32 ─ embed 32 ─ LSTM 16 ─┴ (n, 48) ─ answer (n, 500) probabilities

Version 2 reads the text twice, each time knowing what to look for, and attends to what it found:

    question ─ words ─ LSTM ──────────────▶ asked ─ look ─┐
                 └ names ─ match ─┐                       ▼
    text ─ words ─────────────────┴ heard ─ LSTM ─▶ memory ─ attention ─▶ found ─ joins names and asked, once more
                                                                             └──────▶ hidden ─ answer (n, 500)

The first reading finds, say, who took the milk; that name joins the question's own for the second, which finds where
that person went.
"""

from typing import Any

import keras
from keras import layers, ops

from models.architecture import Architecture, Head, connected

WORDS, ANSWERS = 10_000, 500
WIDTH, STATE = 32, 32  # of a word, of an LSTM
SLOTS = 4  # names looked for at once, weighted means over the question's words
LOOKS, KEY = 3, 16  # attention heads per reading, width of their keys
HIDDEN = 64
PER_SENTENCE = 8.0  # words; brings positions to the size of the other keys


def two_encoders(words: int = WORDS, answer: int = ANSWERS, masked: bool = True) -> keras.Model:
    """Text of `t` and question of `u` word ids in, a probability per answer out; id 0 is padding."""
    text = keras.Input((None,), dtype="int32", name="text")
    question = keras.Input((None,), dtype="int32", name="question")
    told = layers.LSTM(32)(layers.Embedding(words, 64, mask_zero=masked)(text))  # (n, 32)
    asked = layers.LSTM(16)(layers.Embedding(words, 32, mask_zero=masked)(question))  # (n, 16)
    x = layers.Concatenate()([told, asked])  # (n, 48)
    outputs = {"answer": layers.Dense(answer, "softmax", name="answer")(x)}  # (n, 500)
    return connected({"text": text, "question": question}, outputs, name="qa")


def attention(words: int = WORDS, answer: int = ANSWERS, masked: bool = True) -> keras.Model:
    """The same inputs and output, with attention over the text that the question directs, in two readings."""
    text = keras.Input((None,), dtype="int32", name="text")
    question = keras.Input((None,), dtype="int32", name="question")
    is_text = ops.not_equal(text, 0) if masked else None
    is_question = ops.not_equal(question, 0) if masked else None

    embed = layers.Embedding(words, WIDTH, embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0))
    told, names = embed(text), embed(question)  # (n, t, 32), (n, u, 32)
    asked = layers.LSTM(STATE, name="asked")(names, mask=is_question)  # (n, 32)
    if is_question is not None:
        names = names * ops.expand_dims(ops.cast(is_question, names.dtype), -1)
    weigh = layers.Dense(SLOTS, "sigmoid", name="weigh")
    place = ops.expand_dims(ops.cumsum(ops.ones_like(text, dtype="float32"), axis=1) / PER_SENTENCE, -1)  # (n, t, 1)

    memory: list[Any] = []
    for reading in (_both_ways, _forward):
        slots = layers.Dot(axes=1)([weigh(names), names])  # (n, 4, 32)
        match = layers.Dot(axes=2, normalize=True)([told, slots])  # (n, t, 4)
        heard = layers.Concatenate()([told, match])  # (n, t, 36)
        memory.append(reading(layers.Concatenate()([heard, *memory[-1:]]), is_text))
        found = _attend(asked, layers.Concatenate()([heard, *memory]), place, is_text)  # (n, 3, 36 + states)
        words_found = found[:, :, :WIDTH]  # (n, 3, 32)
        names = layers.Concatenate(axis=1)([names, words_found])
        asked = layers.Concatenate()([asked, layers.Flatten()(found)])

    hidden = layers.Dense(HIDDEN, "relu", name="hidden")(asked)  # (n, 64)
    x = layers.Concatenate()([hidden, layers.Flatten()(words_found)])  # (n, 160)
    outputs = {"answer": layers.Dense(answer, "softmax", name="answer")(x)}  # (n, 500)
    return connected({"text": text, "question": question}, outputs, name="qa")


def _forward(heard: Any, mask: Any) -> Any:
    """The states (n, t, 32) of one LSTM."""
    return layers.LSTM(STATE, return_sequences=True)(heard, mask=mask)


def _both_ways(heard: Any, mask: Any) -> Any:
    """The states (n, t, 64) of two LSTMs, one of which reads from the end."""
    return layers.Bidirectional(layers.LSTM(STATE, return_sequences=True))(heard, mask=mask)


def _attend(asked: Any, memory: Any, place: Any, mask: Any) -> Any:
    """What the question's heads find in memory (n, t, m): (n, 3, m). Keys know their place, so the last can count."""
    keys = layers.Concatenate()([layers.Dense(KEY)(memory), place])  # (n, t, 17)
    look = layers.Reshape((LOOKS, KEY + 1))(layers.Dense(LOOKS * (KEY + 1))(asked))  # (n, 3, 17)
    return layers.Attention()([look, memory, keys], mask=[None, mask])


HEADS = {"answer": Head("sparse_categorical_crossentropy", metric="accuracy")}
TWO_ENCODERS = Architecture(two_encoders, HEADS)
ATTENTION = Architecture(attention, HEADS)
