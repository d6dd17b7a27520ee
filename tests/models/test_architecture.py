"""What every architecture is held to: outputs that depend on all inputs, heads for all outputs."""

import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402
from keras import layers  # noqa: E402

from models.architecture import Architecture, Head, connected  # noqa: E402


def given():
    return {name: keras.Input((3,), name=name) for name in ("text", "question")}


def dense(name, *tensors):
    merged = layers.Concatenate()(list(tensors)) if len(tensors) > 1 else tensors[0]
    return layers.Dense(1, name=name)(merged)


def test_an_output_that_does_not_depend_on_an_input_is_refused_by_both_names():
    inputs = given()
    outputs = {"answer": dense("answer", *inputs.values()), "mood": dense("mood", inputs["text"])}

    with pytest.raises(ValueError, match=r"^lost: output 'mood' does not depend on input 'question'$"):
        connected(inputs, outputs, name="lost")


def test_an_output_of_other_inputs_altogether_is_refused_likewise():
    unrelated = {"unrelated": keras.Input((3,), name="unrelated")}

    with pytest.raises(ValueError, match="output 'answer' does not depend on input 'unrelated'"):
        connected(unrelated, {"answer": dense("answer", *given().values())}, name="lost")


def test_outputs_are_followed_through_shared_layers_and_models_used_as_layers():
    inputs = given()
    base = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    merged = layers.Add()([base(tensor) for tensor in inputs.values()])
    model = connected(inputs, {"answer": dense("answer", layers.Activation("relu")(merged))}, name="whole")

    assert list(model.output_names) == ["answer"]
    with pytest.raises(ValueError, match="does not depend on input 'question'"):
        connected(inputs, {"answer": dense("answer", base(inputs["text"]), base(inputs["text"]))}, name="half")


@pytest.mark.parametrize("heads", [{}, {"other": Head("mse")}, {"answer": Head("mse"), "other": Head("mse")}])
def test_an_output_without_a_head_and_a_head_without_an_output_are_refused(heads):
    def build():
        inputs = given()
        return connected(inputs, {"answer": dense("answer", *inputs.values())}, name="whole")

    with pytest.raises(ValueError, match="but trains"):
        Architecture(build, heads).compiled()


def test_only_a_build_that_masks_is_told_not_to():
    told = []

    def plain(width=2):
        told.append(width)

    def masking(width=2, masked=True):
        told.append((width, masked))

    Architecture(plain).unmasked(width=3)
    Architecture(masking).unmasked(width=3)

    assert told == [3, (3, False)]
