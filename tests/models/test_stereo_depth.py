"""Both stereo models: one base for both pictures, its weights file, and where disparity is looked for."""

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

from models.stereo_depth import CELLS, EVERY, PIXELS, SHIFTED, SHIFTS, XCEPTION, load_weights  # noqa: E402
from training.generators.stereo import BASELINE, FARTHEST, FOCAL, NEAREST  # noqa: E402

SIDES = ("left", "right")
TARGETS = {"depth": np.full((2, CELLS, CELLS), 2.0, np.float32)}

# Keras' own writer of weights uses a call that NumPy 2 deprecates.
writes_weights = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def pair(rows=2, seed=0):
    rng = np.random.default_rng(seed)
    return {side: rng.integers(0, 256, (rows, PIXELS, PIXELS, 3), dtype=np.uint8) for side in SIDES}


def answers(model, tensors):
    return np.asarray(model(tensors, training=False)["depth"])


def adapted(model, architecture, seed=0):
    """Adapted to depths around 2.5 m, which are returned."""
    depths = np.random.default_rng(seed).uniform(1, 4, (20, CELLS, CELLS)).astype(np.float32)
    architecture.adapt(model, {}, {"depth": depths})
    return depths


@pytest.fixture(scope="module")
def xception():
    """Version 1, built once: it takes seconds. Nothing here runs it."""
    return XCEPTION.build()


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    return SHIFTED.build()


def test_the_known_number_of_parameters(xception, model):
    assert xception.get_layer("base").count_params() == 20_861_480
    assert xception.count_params() == 20_861_480 + 4_097
    assert model.count_params() == 16_086


def test_one_base_sees_both_pictures(xception, model):
    for built in (xception, model):
        base = built.get_layer("base")
        assert isinstance(base, keras.Model)
        assert [len(node.input_tensors) for node in base._inbound_nodes] == [1, 1]


def test_features_are_merged_by_concatenation_into_a_map_of_depths(xception, model):
    assert xception.get_layer("merge").output.shape == (None, 8, 8, 4096)
    assert model.get_layer("merge").output.shape == (None, 32, 32, len(SHIFTS), 32)
    for built in (xception, model):
        assert isinstance(built.get_layer("merge"), keras.layers.Concatenate)
        assert built.get_layer("depth").output.shape == (None, CELLS, CELLS)


def test_pixels_reach_the_base_from_minus_1_to_1_as_xception_was_trained(xception):
    scale = xception.get_layer("scale")

    assert np.allclose(np.asarray(scale(np.array([0, 255], np.uint8))), [-1, 1])
    assert np.allclose(keras.applications.xception.preprocess_input(np.array([0.0, 255.0])), [-1, 1])


def test_candidates_span_the_disparities_of_the_data():
    assert (2 * min(SHIFTS), 2 * max(SHIFTS)) == (FARTHEST, NEAREST)


def test_version_1_begins_with_the_mean_depth(xception):
    depths = adapted(xception, XCEPTION)

    assert xception.get_layer("metres").get_weights()[1] == pytest.approx(depths.mean())


def test_version_2_begins_with_depths_inversely_proportional_to_the_disparity(model):
    depths = adapted(model, SHIFTED)
    metres = model.get_layer("metres").get_weights()[0][:, 0]

    assert metres.mean() == pytest.approx(depths.mean(), rel=1e-5)
    assert np.allclose(metres * SHIFTS, metres[0] * SHIFTS[0])


def test_the_right_depths_come_of_agreement_at_one_disparity(model):
    """With the camera's own depths per candidate, and scores that favour one, every part is as far away as it says."""
    metres = FOCAL * BASELINE / (2 * np.array(SHIFTS))
    model.get_layer("metres").set_weights([metres[:, None]])
    chosen = 5
    kernel, _ = model.get_layer("context").get_weights()
    model.get_layer("context").set_weights([kernel, 1e4 * np.eye(len(SHIFTS))[chosen]])

    assert np.allclose(answers(model, pair()), metres[chosen], rtol=1e-4)


def test_a_shift_moves_features_right_by_each_candidate(model):
    features = np.random.default_rng(0).normal(size=(1, 32, 128, 16)).astype(np.float32)
    moved = np.asarray(model.get_layer("shift")(features))

    assert moved.shape == (1, 32, 128 // EVERY, len(SHIFTS), 16)
    for place, shift in enumerate(SHIFTS):
        for column in range(0, 128, EVERY):
            came = features[:, :, column - shift] if column >= shift else np.zeros((1, 32, 16))
            assert np.array_equal(moved[:, :, column // EVERY, place], came)


def test_a_picture_moved_left_agrees_with_the_left_one_at_that_disparity(model):
    """What the concatenation sets side by side are the features of one point, away from the border."""
    wide = np.random.default_rng(1).integers(0, 256, (1, PIXELS, PIXELS + 20, 3), dtype=np.uint8)
    tensors = {"left": wide[:, :, :PIXELS], "right": wide[:, :, 20:]}
    merged = np.asarray(keras.Model(model.inputs, model.get_layer("merge").output)(tensors))
    left, right = np.split(merged[:, :, 8:-8], 2, axis=-1)
    apart = np.abs(left - right).mean(axis=(0, 1, 2, 4))

    assert apart.argmin() == SHIFTS.index(20 // 2)
    assert apart.min() < 1e-5


def test_one_step_moves_the_weights_of_every_layer():
    keras.utils.set_random_seed(4)
    model = SHIFTED.compiled()
    model.run_eagerly = True  # One step is sooner done than traced.
    layers = [layer for layer in model.layers if layer.weights]
    before = {layer.name: layer.get_weights() for layer in layers}
    model.get_layer("context").set_weights(
        [weights + 0.01 for weights in before["context"]]
    )  # Else `near` learns later.
    model.train_on_batch(pair(), TARGETS)

    assert set(before) == {"base", "match", "score", "near", "context", "metres"}
    for layer in layers:
        kernels = [
            not np.array_equal(old, new)
            for old, new in zip(before[layer.name], layer.get_weights(), strict=True)
            if new.ndim > 1
        ]
        assert all(kernels), layer.name


@pytest.mark.parametrize("side", SIDES)
def test_each_picture_matters(model, side):
    one, other = pair(seed=1), pair(seed=2)

    assert not np.allclose(answers(model, one), answers(model, {**one, side: other[side]}), atol=1e-6)


@writes_weights
def test_the_base_takes_a_weights_file(model, tmp_path):
    file = tmp_path / "base.weights.h5"
    model.get_layer("base").save_weights(file)
    keras.utils.set_random_seed(5)
    other = SHIFTED.build()
    load_weights(other, file)

    for mine, theirs in zip(model.get_layer("base").get_weights(), other.get_layer("base").get_weights(), strict=True):
        assert np.array_equal(mine, theirs)
    assert not np.array_equal(model.get_layer("match").get_weights()[0], other.get_layer("match").get_weights()[0])


@writes_weights
def test_weights_of_another_base_are_refused(xception, model, tmp_path):
    file = tmp_path / "small.weights.h5"
    model.get_layer("base").save_weights(file)

    with pytest.raises(ValueError, match=r"small\.weights\.h5 holds no weights that fit the base of stereo_depth: \w"):
        load_weights(xception, file)


@pytest.mark.parametrize("name", ["base.weights.h5", "base.h5", "base.txt"])
def test_a_file_without_weights_is_refused(model, name, tmp_path):
    file = tmp_path / name
    file.write_text("These are no weights.")

    with pytest.raises(ValueError, match="holds no weights that fit the base"):
        load_weights(model, file)


def test_a_missing_file_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match=r"none\.weights\.h5 holds no weights"):
        load_weights(model, tmp_path / "none.weights.h5")


def test_the_twin_answers_alike(model, tmp_path):
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    adapted(model, SHIFTED)
    function = tf.function(lambda *tensors: model(dict(zip(SIDES, tensors, strict=True)), training=False))
    specs = [tf.TensorSpec((None, PIXELS, PIXELS, 3), tf.uint8, name=name) for name in SIDES]
    path = tmp_path / "model.onnx"
    tf2onnx.convert.from_function(function, input_signature=specs, opset=18, output_path=str(path))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    rows = pair(rows=3)
    assert np.allclose(session.run(["depth"], rows)[0], answers(model, rows), atol=1e-4)
