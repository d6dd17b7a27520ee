"""Both architectures of qa: their size, what masks leave out, what training reaches, and what their twin is made of."""

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.qa import ATTENTION, TWO_ENCODERS  # noqa: E402

VERSIONS = {1: TWO_ENCODERS, 2: ATTENTION}
WORDS, ANSWERS = 60, 7
SIZES = {"words": WORDS, "answer": ANSWERS}

every_version = pytest.mark.parametrize("architecture", VERSIONS.values(), ids=["version-1", "version-2"])


def asked(rows=5, text=9, question=5, seed=0):
    """Random ids of words, none of them padding."""
    rng = np.random.default_rng(seed)
    lengths = {"text": text, "question": question}
    return {name: rng.integers(1, WORDS, (rows, length), dtype=np.int32) for name, length in lengths.items()}


def padded(tensors, **extra):
    return {name: np.pad(ids, ((0, 0), (0, extra.get(name, 0)))) for name, ids in tensors.items()}


def answers(model, tensors):
    return np.asarray(model(tensors, training=False)["answer"])


@pytest.fixture(scope="module", params=VERSIONS, ids=["version-1", "version-2"])
def masked(request):
    """An architecture and a small masked model of it; nothing here changes its weights."""
    keras.utils.set_random_seed(3)
    return VERSIONS[request.param], VERSIONS[request.param].build(**SIZES)


def test_answers_are_one_probability_per_answer(masked):
    probabilities = answers(masked[1], asked())

    assert probabilities.shape == (5, ANSWERS)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_the_unmasked_build_takes_the_same_weights_and_agrees_where_nothing_is_padding(masked):
    architecture, model = masked
    unmasked = architecture.build(masked=False, **SIZES)
    unmasked.set_weights(model.get_weights())

    for text, question in [(2, 1), (3, 9), (20, 5)]:
        rows = asked(text=text, question=question)
        assert np.allclose(answers(model, rows), answers(unmasked, rows), atol=1e-6)


@pytest.mark.parametrize("extra", [{"text": 1}, {"text": 9}, {"question": 4}, {"text": 7, "question": 7}], ids=str)
def test_padding_changes_no_answer_of_the_masked_model(masked, extra):
    rows = asked()

    assert np.allclose(answers(masked[1], rows), answers(masked[1], padded(rows, **extra)), atol=1e-6)


@pytest.mark.parametrize("extra", [{"text": 9}, {"question": 4}], ids=str)
def test_padding_is_a_word_like_others_to_the_unmasked_build(masked, extra):
    """So the test above can fail: it is the mask that leaves padding out, and nothing else."""
    architecture, model = masked
    unmasked = architecture.build(masked=False, **SIZES)
    unmasked.set_weights(model.get_weights())
    rows = asked()

    assert not np.allclose(answers(unmasked, rows), answers(unmasked, padded(rows, **extra)), atol=1e-5)


def test_a_row_without_a_word_still_gets_probabilities(masked):
    nothing = {"text": np.zeros((1, 3), np.int32), "question": np.zeros((1, 2), np.int32)}

    assert np.isfinite(answers(masked[1], nothing)).all()


@every_version
def test_one_step_moves_the_weights_of_every_layer(architecture):
    keras.utils.set_random_seed(4)
    model = architecture.compiled(**SIZES)
    model.run_eagerly = True  # One short step is sooner done than traced.
    layers = [layer for layer in model.layers if layer.weights]
    before = [layer.get_weights() for layer in layers]
    model.train_on_batch(padded(asked(text=4, question=3), text=1), {"answer": np.arange(5) % ANSWERS})

    assert len(layers) >= 4
    for layer, old in zip(layers, before, strict=True):
        kernels = [not np.array_equal(a, b) for a, b in zip(old, layer.get_weights(), strict=True) if a.ndim > 1]
        assert all(kernels), layer.name


# Keras' own writer of weights uses a call that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@every_version
def test_a_saved_model_answers_as_before(architecture, tmp_path):
    model = architecture.build(**SIZES)
    model.save(tmp_path / "qa.keras")

    assert np.allclose(answers(keras.models.load_model(tmp_path / "qa.keras"), asked()), answers(model, asked()))


# A bidirectional layer is one operator: text and question; question, the first reading, the second.
@pytest.mark.parametrize(("architecture", "fused"), [(TWO_ENCODERS, 2), (ATTENTION, 3)], ids=["version-1", "version-2"])
def test_the_twin_is_made_of_fused_operators_and_answers_alike(architecture, fused):
    import onnxruntime
    import tensorflow as tf

    from training.data.qa import TASK
    from training.encode import learn
    from training.train import Trained
    from training.twin.convert import convert

    encoder = learn(TASK, {"text": ["Mary slept."] * 2, "question": ["Who slept?"] * 2, "answer": ["mary", "john"]})
    model = architecture.build(**encoder.sizes)
    inputs = [tf.TensorSpec((None, None), tf.int32, name=name) for name in ("text", "question")]
    graph = convert(Trained(model, architecture, encoder, {}, 0), inputs)

    operators = [node.op_type for node in graph.graph.node]
    assert not {"Loop", "Scan", "If"} & set(operators)
    assert operators.count("LSTM") == fused
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    for text, question in [(2, 1), (20, 6)]:
        rows = asked(text=text, question=question)
        assert np.allclose(session.run(["answer"], rows)[0], answers(model, rows), atol=1e-6)


def looks_and_keys(model, tensors):
    """What each attention layer looks for (n, heads, key), and what the words of the text offer it (n, t, key)."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Attention)]
    sides = [side for layer in layers for side in (layer.input[0], layer.input[2])]
    values = [np.asarray(value) for value in keras.Model(model.inputs, sides)(tensors)]
    return list(zip(values[::2], values[1::2], strict=True))


def spread(look, keys):
    """Attention over the words, (n, heads, t)."""
    return np.asarray(keras.ops.softmax(look @ keys.transpose(0, 2, 1)))


def test_each_reading_looks_elsewhere_in_the_same_memory_when_the_question_is_another():
    keras.utils.set_random_seed(5)
    model = ATTENTION.build(**SIZES)
    one = asked(seed=1)
    another = {**one, "question": asked(seed=2)["question"]}
    readings = list(zip(looks_and_keys(model, one), looks_and_keys(model, another), strict=True))

    assert len(readings) == 2
    for (look, keys), (other, _) in readings:
        assert (np.abs(spread(look, keys) - spread(other, keys)).max(axis=(1, 2)) > 1e-3).all()


def test_each_reading_hears_which_words_the_question_names():
    keras.utils.set_random_seed(5)
    model = ATTENTION.build(**SIZES)
    one = asked(seed=1)
    another = {**one, "question": asked(seed=2)["question"]}
    for (_, keys), (_, others) in zip(looks_and_keys(model, one), looks_and_keys(model, another), strict=True):
        assert (np.abs(keys - others).max(axis=(1, 2)) > 1e-3).all()


def test_version_1_reads_the_text_without_the_question():
    """What version 2 is there for."""
    model = TWO_ENCODERS.build(**SIZES)
    told = keras.Model(model.inputs, [layer.output for layer in model.layers if isinstance(layer, keras.layers.LSTM)])
    one = asked(seed=1)
    another = {**one, "question": asked(seed=2)["question"]}
    same = [np.array_equal(a, b) for a, b in zip(told(one), told(another), strict=True)]

    assert sorted(same) == [False, True]
