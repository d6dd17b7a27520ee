"""The seam: one contract, passed by every engine and by the tests' fake."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import loading, server, tensors
from service.batching.drivers import ThreadDriver
from service.card import Card
from service.device.host import Host
from service.engines.base import Engine
from service.engines.device import DeviceEngine
from service.engines.onnx import OnnxEngine
from service.engines.saved_model import NoSuchSignature, SavedModelEngine
from service.engines.tf_serving.engine import TfServingEngine
from service.engines.tf_serving.engine import engine as fleet_engine
from service.engines.tf_serving.fleet import Fleet, FleetAway
from service.engines.tf_serving.messages import Target
from service.errors import InvalidInput
from service.settings import Settings
from service.signature import Signature
from service.tensors import Array, Tensors
from service.versions.store import Version
from tests.service import artifacts, calls, fakes, saved_models
from tests.service.fakes import FakeEngine, specs
from tests.service.server import ROOT, SECONDS
from tests.service.test_device import until
from tests.service.tf_servicer import Servicer

WEIGHTS = artifacts.toy_weights()


def numpy_toy(inputs: Tensors) -> dict[str, Array]:
    """The toy model once more."""
    joined = np.concatenate([WEIGHTS["words"][inputs["text"]].mean(axis=1), inputs["numbers"]], axis=1)
    powers = np.exp(joined @ WEIGHTS["mood"])
    return {
        "score": joined @ WEIGHTS["score"],
        "mood": powers / powers.sum(axis=1, keepdims=True),
        "sure": 1 / (1 + np.exp(-joined @ WEIGHTS["sure"])),
    }


SIGNATURE = Signature(
    specs(text=("int32", (None, None)), numbers=("float32", (None, 3))),
    specs(score=("float32", (None, 1)), mood=("float32", (None, 3)), sure=("float32", (None, 1))),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy with both its SavedModel and its twin."""
    return saved_models.toy(artifacts.toy(tmp_path_factory.mktemp("both")))


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Engine]]:
    """Makes engines whose models lie beyond a socket, on what would be another process's device."""
    path = tmp_path_factory.mktemp("device") / "cpu.sock"
    host = Host(path, lambda folder: SavedModelEngine(folder, xla=True))
    yield lambda folder: DeviceEngine(folder, {"cpu:0": path}, SECONDS)
    host.close()


@pytest.fixture(scope="module")
def asking() -> Iterator[Callable[..., Engine]]:
    """Makes engines whose models lie in a fleet of one, which has only TensorFlow Serving's API in common with ours."""
    with contextlib.ExitStack() as stack:

        def ask(folder: Path, patience: float = SECONDS) -> Engine:
            servicer = Servicer(folder)
            stack.callback(servicer.close)
            target = Target(folder.parent.name, int(folder.name))
            return TfServingEngine(target, Fleet([f"127.0.0.1:{servicer.port}"], target), SECONDS, patience)

        yield ask


@pytest.fixture(scope="module")
def fronts(folder: Path) -> Iterator[Callable[[Path], Engine]]:
    """Makes engines whose models lie in a fleet of two of our own gRPC fronts, which compute twins.

    Without a card, which has them refuse more than TensorFlow Serving would.
    """
    chosen = Settings()
    with contextlib.ExitStack() as stack:
        names = []
        for _ in range(2):
            worker = loading.Worker(lambda _: ThreadDriver, loading.Shared())
            handle = loading.serve(Version("toy", 1, folder), Card(), OnnxEngine(folder), chosen, worker)
            stack.callback(handle.close)
            client = stack.enter_context(calls.serving(chosen, fakes.catalog([handle]), server.wait))
            names.append(f"127.0.0.1:{client.port}")
        yield lambda _: fleet_engine("toy", 1, names, SECONDS)


@pytest.fixture(scope="module", params=["fake", "onnx", "saved_model", "xla", "device", "fleet", "fronts"])
def engine(
    request: pytest.FixtureRequest,
    folder: Path,
    crossing: Callable[[Path], Engine],
    asking: Callable[[Path], Engine],
    fronts: Callable[[Path], Engine],
) -> Iterator[Engine]:
    made = {
        "fleet": lambda: asking(folder),
        "fronts": lambda: fronts(folder),
        "fake": lambda: FakeEngine(SIGNATURE, numpy_toy),
        "onnx": lambda: OnnxEngine(folder),
        "saved_model": lambda: SavedModelEngine(folder),
        "xla": lambda: SavedModelEngine(folder, xla=True),
        "device": lambda: crossing(folder),
    }
    engine = made[request.param]()
    yield engine
    engine.close()


def rows(count: int, length: int = 4) -> dict[str, Array]:
    random = np.random.default_rng(count * 100 + length)
    return {
        "text": random.integers(0, len(artifacts.VOCABULARY), (count, length), dtype=np.int32),
        "numbers": random.normal(size=(count, 3)).astype(np.float32),
    }


class TestContract:
    def test_the_signature_has_every_tensor_by_name(self, engine: Engine):
        assert dict(engine.signature.inputs) == dict(SIGNATURE.inputs)
        assert dict(engine.signature.outputs) == dict(SIGNATURE.outputs)
        assert engine.signature.unbatched() == []

    def test_it_says_what_computes_and_where(self, engine: Engine):
        assert engine.name in ("fake", "onnx", "saved_model", "tf_serving")
        assert engine.parallel >= 1
        assert engine.absent() == ""
        assert engine.memory() == {}  # of a CPU nobody counts it
        assert engine.device

    @pytest.mark.parametrize("count", [1, 2, 7])
    @pytest.mark.parametrize("length", [1, 9])
    def test_every_output_comes_by_name_with_as_many_rows(self, engine: Engine, count, length):
        outputs = engine.run(rows(count, length))
        assert outputs.keys() == SIGNATURE.outputs.keys()
        for name, spec in SIGNATURE.outputs.items():
            assert isinstance(outputs[name], np.ndarray)
            assert outputs[name].dtype == spec.dtype
            assert outputs[name].shape == (count, spec.shape[1])

    def test_no_input_is_ragged_unless_it_says_so(self, engine: Engine):
        assert dict(engine.ragged) == {}

    def test_the_order_of_the_inputs_does_not_matter(self, engine: Engine):
        inputs = rows(3)
        turned = dict(reversed(inputs.items()))
        np.testing.assert_array_equal(engine.run(inputs)["score"], engine.run(turned)["score"])

    def test_a_row_alone_is_answered_as_in_a_batch(self, engine: Engine):
        inputs = rows(6)
        together = engine.run(inputs)
        for number in range(6):
            alone = engine.run({name: array[number : number + 1] for name, array in inputs.items()})
            for name in together:
                np.testing.assert_allclose(alone[name][0], together[name][number], rtol=1e-5, atol=1e-6)

    def test_it_answers_as_before_once_it_has_settled(self, engine: Engine):
        before = engine.run(rows(3))
        engine.settle()
        after = engine.run(rows(3))
        for name in before:
            np.testing.assert_array_equal(after[name], before[name])

    def test_all_engines_agree(self, engine: Engine):
        inputs = rows(5)
        for name, expected in numpy_toy(inputs).items():
            np.testing.assert_allclose(engine.run(inputs)[name], expected, rtol=1e-4, atol=1e-5)

    def test_outputs_are_the_callers_own(self, engine: Engine):
        first = engine.run(rows(2))
        kept = {name: array.copy() for name, array in first.items()}
        engine.run(rows(2, length=5))
        for name, array in kept.items():
            np.testing.assert_array_equal(first[name], array)


READER = Signature(specs(words=("int32", (None, None))), specs(read=("float32", (None, 3))))


def sums(inputs: Tensors) -> dict[str, Array]:
    """As the reader, a row's answer depends on each of its words and on no other."""
    words = inputs["words"]
    lengths = inputs.get("words/length", np.full(len(words), words.shape[1]))
    real = np.arange(words.shape[1]) < lengths[:, np.newaxis]
    places = np.arange(1, words.shape[1] + 1)
    total = (np.where(real, words, 0) * places).sum(axis=1)
    return {"read": np.stack([total, lengths, -total], axis=1).astype(np.float32)}


@pytest.fixture(scope="module", params=["fake", "onnx"])
def ragged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine that takes rows of different lengths in one batch."""
    if request.param == "fake":
        return FakeEngine(READER, sums, ragged={"words": "words/length"})
    return OnnxEngine(artifacts.reader(tmp_path_factory.mktemp("reader")))


WORDS = st.lists(st.integers(0, 19), min_size=1, max_size=12)


class TestRagged:
    def test_lengths_are_no_inputs_of_the_signature(self, ragged: Engine):
        assert dict(ragged.signature.inputs) == dict(READER.inputs)
        assert dict(ragged.signature.outputs) == dict(READER.outputs)
        assert dict(ragged.ragged) == {"words": "words/length"}

    @given(rows=st.lists(WORDS, min_size=1, max_size=8), padding=st.integers(0, 19), more=st.integers(0, 3))
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_whatever_rows_are_padded_with_each_is_answered_as_alone(self, ragged: Engine, rows, padding, more):
        words = np.full((len(rows), max(map(len, rows)) + more), padding, np.int32)
        for line, row in zip(words, rows, strict=True):
            line[: len(row)] = row
        lengths = np.array([len(row) for row in rows], np.int32)
        together = ragged.run({"words": words, "words/length": lengths})["read"]
        for row, answer in zip(rows, together, strict=True):
            alone = ragged.run({"words": np.array([row], np.int32)})["read"][0]
            np.testing.assert_allclose(answer, alone, rtol=1e-6, atol=1e-6)

    @given(rows=st.lists(WORDS, min_size=1, max_size=8), most=st.integers(1, 8))
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_what_is_packed_and_joined_is_answered_as_alone(self, ragged: Engine, rows, most):
        groups = tensors.pack([{"words": np.array(row, np.int32)} for row in rows], most, ragged.ragged)
        joined = ragged.run(tensors.join([group for _, group in groups], ragged.ragged))["read"]
        for position, answer in zip((at for positions, _ in groups for at in positions), joined, strict=True):
            alone = ragged.run({"words": np.array([rows[position]], np.int32)})["read"][0]
            np.testing.assert_allclose(answer, alone, rtol=1e-6, atol=1e-6)


def test_xla_answers_as_tensorflow_does(folder: Path):
    plain, compiled = SavedModelEngine(folder), SavedModelEngine(folder, xla=True)
    program = compiled._compile(rows(4))
    for name, expected in plain.run(rows(4)).items():
        np.testing.assert_allclose(program(rows(4))[name], expected, rtol=1e-5, atol=1e-6)
    compiled.close()


def test_rows_filled_up_are_cut_off_again(folder: Path):
    engine = SavedModelEngine(folder)
    for count in (1, 3, 5, 8):
        for name, expected in engine.run(rows(count)).items():
            np.testing.assert_allclose(engine._bucketed(rows(count))[name], expected, rtol=1e-5, atol=1e-6)


class TestInAFleet:
    def test_strings_cross_and_come_back(self, tmp_path: Path, asking: Callable[[Path], Engine]):
        engine = asking(saved_models.save(saved_models.Greeter(), tmp_path / "greeter" / "3"))
        outputs = engine.run({"name": np.array(["Zoë", b"Bob"], object)})
        assert outputs["greeting"].tolist() == ["hello Zoë", "hello Bob"]
        engine.close()

    def test_bfloat16_crosses_and_comes_back(self, tmp_path: Path, asking: Callable[[Path], Engine]):
        engine = asking(saved_models.save(saved_models.Narrow(), tmp_path / "narrow" / "1"))
        dtype = engine.signature.inputs["x"].dtype
        assert dtype.name == "bfloat16"
        assert engine.run({"x": np.ones((2, 3), dtype)})["y"].astype(float).tolist() == [[2, 2, 2], [2, 2, 2]]
        engine.close()

    def test_tensors_that_cannot_be_batched_are_named(self, tmp_path: Path, asking: Callable[[Path], Engine]):
        engine = asking(saved_models.save(saved_models.Rankless(), tmp_path / "rankless" / "1"))
        assert engine.signature.unbatched() == ["any", "two", "sum"]
        engine.close()

    def test_what_the_model_does_not_take_is_invalid(self, folder: Path, asking: Callable[[Path], Engine]):
        engine = asking(folder)
        with pytest.raises(InvalidInput):
            engine.run({**rows(2), "text": np.full((2, 1), 99, np.int32)})
        engine.close()

    def test_a_model_without_the_served_signature_is_none(self, tmp_path: Path, asking: Callable[..., Engine]):
        folder = saved_models.save(saved_models.Greeter(), tmp_path / "greeter" / "1", signature="greet")

        def told() -> bool:
            with pytest.raises(FleetAway) as caught:
                asking(folder, patience=0)
            return "no signature 'serving_default' (found: __saved_model_init_op, greet)" in str(caught.value)

        until(told)  # a busy machine may not say it at the first look


def test_strings_cross_to_a_device_and_back(tmp_path: Path, crossing: Callable[[Path], Engine]):
    engine = crossing(saved_models.save(saved_models.Greeter(), tmp_path))
    outputs = engine.run({"name": np.array(["Zoë", b"Bob"], object)})
    assert outputs["greeting"].tolist() == ["hello Zoë".encode(), b"hello Bob"]
    engine.close()


def test_bfloat16_crosses_to_a_device_and_back(tmp_path: Path, crossing: Callable[[Path], Engine]):
    engine = crossing(saved_models.save(saved_models.Narrow(), tmp_path))
    dtype = engine.signature.inputs["x"].dtype
    assert dtype.name == "bfloat16"
    assert engine.run({"x": np.ones((2, 3), dtype)})["y"].astype(float).tolist() == [[2, 2, 2], [2, 2, 2]]
    engine.close()


LOOK = """
import sys, numpy as np, tensorflow as tf
from pathlib import Path
from service.engines.saved_model import SavedModelEngine
engine = SavedModelEngine(Path(sys.argv[1]), device="cpu:1")
[second] = {weight.device for weight in engine._function.captured_inputs}
engine.run({"text": np.ones((2, 3), np.int32), "numbers": np.ones((2, 3), np.float32)})
print(engine.device, len(tf.config.list_logical_devices("CPU")), second)
engine._compile({"text": np.ones((2, 3), np.int32), "numbers": np.ones((2, 3), np.float32)})
try:
    SavedModelEngine(Path(sys.argv[1]), device="gpu:0")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_model_lies_on_the_device_it_is_given(folder: Path):
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(folder)], cwd=ROOT, env=hidden, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "cpu:1 2 /job:localhost/replica:0/task:0/device:CPU:1"
    assert second.startswith("NoSuchDevice TensorFlow ")
    assert second.endswith("sees no GPU here, so gpu:0 cannot compute")


@pytest.mark.parametrize("make", [OnnxEngine, SavedModelEngine, lambda _: FakeEngine()], ids=["onnx", "tf", "fake"])
def test_a_closed_engine_keeps_its_signature(make, folder: Path):
    engine = make(folder)
    engine.close()
    assert engine.signature.inputs


def test_strings_go_through_tensorflow(tmp_path: Path):
    engine = SavedModelEngine(saved_models.save(saved_models.Greeter(), tmp_path))
    assert engine.signature.inputs["name"].dtype == np.dtype(object)
    outputs = engine.run({"name": np.array(["Zoë", b"Bob"], object)})
    assert outputs["greeting"].tolist() == ["hello Zoë".encode(), b"hello Bob"]


def test_a_saved_model_without_the_served_signature_says_which_it_has(tmp_path: Path):
    saved_models.save(saved_models.Greeter(), tmp_path, signature="greet")
    with pytest.raises(NoSuchSignature, match=r"no signature 'serving_default' \(found: greet\)"):
        SavedModelEngine(tmp_path)


def test_tensors_that_do_not_begin_with_a_free_axis_are_named(tmp_path: Path):
    engine = SavedModelEngine(saved_models.save(saved_models.Rankless(), tmp_path))
    assert engine.signature.inputs["any"].shape == ()
    assert engine.signature.unbatched() == ["any", "two", "sum"]
