"""One table over every model there is: known size, right names, every weight learns, and the artifact answers alike.

Each model's newest version is trained for a moment on a few of its own rows and published; the files are then asked
through both engines and, all in one store, over HTTP.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.quiet import import_quietly

import_quietly()

import keras  # noqa: E402

import models  # noqa: E402
from models import ZOO  # noqa: E402
from service import card as cards  # noqa: E402
from service import golden  # noqa: E402
from service.engines.onnx import TWIN, OnnxEngine  # noqa: E402
from service.engines.saved_model import SavedModelEngine  # noqa: E402
from tests.service.server import running  # noqa: E402
from training.batches import batch  # noqa: E402
from training.card import Provenance  # noqa: E402
from training.data import TASKS  # noqa: E402
from training.encode import learn  # noqa: E402
from training.evaluate import evaluate  # noqa: E402
from training.export import Held, export  # noqa: E402
from training.task import Preset  # noqa: E402
from training.train import fit, predict  # noqa: E402
from training.versions import Version  # noqa: E402

PARAMETERS = {
    "similarity": {1: 1_321_345},
    "qa": {1: 1_000_052, 2: 512_706},
    "profile": {1: 14_146_316},
    "majority": {1: 10, 2: 10},
    "same_distribution": {1: 23},
    "classifier": {1: 3_466, 2: 3_466},
    "adder": {1: 3_169},
    "digits": {1: 56_198, 2: 29_066},
    "siamese_vectors": {1: 20_673, 2: 20_737},
    "help_desk": {1: 1_000_052, 2: 730_164},
    "titles": {1: 649_157},
    "activity": {1: 40_136},
    "clothing_price": {1: 202_211},
    "inception": {1: 1_801_289},
    "residual": {1: 227_750},
    "stereo_depth": {1: 20_865_577, 2: 16_086},
    "matrix_sum": {1: 0},
    "matrix_product": {1: 4},
}
"""Of every architecture with its default sizes."""

ROWS = 64
PROVENANCE = Provenance("a few rows", {"train": 1, "validation": 1, "test": 1}, 1, "quick", 1, 0.5)
EVERY_VERSION = [(name, number) for name, versions in ZOO.items() for number in versions]

every_model = pytest.mark.parametrize("name", ZOO)
every_learner = pytest.mark.parametrize("name", [name for name in ZOO if TASKS[name].presets["quick"].epochs])


def newest(name):
    return ZOO[name][max(ZOO[name])]


@pytest.fixture(scope="module")
def rows():
    """A few rows of each model and what they teach, made when they are asked for."""
    made = {}

    def of(name):
        if name not in made:
            splits = TASKS[name].generate(ROWS, 5)
            encoder = learn(TASKS[name], splits.train)
            made[name] = (
                encoder,
                replace(splits, validation=encoder.known(splits.validation), test=encoder.known(splits.test)),
            )
        return made[name]

    return of


@pytest.fixture(scope="module")
def store(tmp_path_factory, rows):
    """A store that holds what was published so far, and publishes what is asked for."""
    place = tmp_path_factory.mktemp("zoo")

    def published(name):
        version = Version(place, name, max(ZOO[name]))
        if not version.folder.exists():
            encoder, splits = rows(name)
            epochs = min(1, TASKS[name].presets["quick"].epochs)
            trained = fit(newest(name), encoder, splits, Preset(ROWS, epochs), seed=1)
            test = encoder.rows(splits.test)
            judged = evaluate(
                encoder, splits.train, splits.test, predict(trained.model, test, list(TASKS[name].outputs))
            )
            export(trained, Held(splits.test, test, judged), PROVENANCE, version)
        return version.folder

    return published


def test_every_file_of_an_architecture_is_in_the_list():
    files = {path.stem for path in Path(models.__file__).parent.glob("*.py")} - {"__init__", "architecture"}

    assert files == set(ZOO) == set(TASKS)


@pytest.mark.parametrize(("name", "number"), EVERY_VERSION, ids=[f"{name}-{number}" for name, number in EVERY_VERSION])
def test_a_model_has_its_known_number_of_parameters(name, number):
    assert ZOO[name][number].build().count_params() == PARAMETERS[name][number]


@every_model
def test_a_model_and_its_provider_use_the_same_names(name):
    task, heads = TASKS[name], newest(name).heads
    generated = vars(task.generate(ROWS, 0))

    assert set(task.outputs) == set(heads) == set(task.baselines)
    assert set(task.inputs) == set(task.example)
    assert {frozenset(table) for table in generated.values()} == {frozenset({*task.inputs, *task.outputs})}


@every_learner
def test_one_training_step_moves_every_weight(name, rows):
    encoder, splits = rows(name)
    keras.utils.set_random_seed(1)
    model = newest(name).compiled(**encoder.sizes)
    train = encoder.rows(splits.train)
    if newest(name).adapt:
        newest(name).adapt(model, train.inputs, train.targets)
    before = [weight.numpy().copy() for weight in model.trainable_variables]
    model.jit_compile = False
    model.train_on_batch(*batch(train, np.arange(min(len(train), 32))))

    weights = zip(model.trainable_variables, before, strict=True)
    assert [weight.path for weight, old in weights if np.array_equal(weight.numpy(), old)] == []


@every_model
def test_what_is_published_answers_alike_in_both_engines(name, store):
    folder = store(name)
    card, groups = cards.read(folder), golden.read(folder)
    saved = SavedModelEngine(folder)

    assert golden.check(saved, groups) <= golden.TOLERANCE
    if card.twin_agreed:
        twin = OnnxEngine(folder)
        assert golden.check(twin, groups) <= golden.TOLERANCE
        assert cards.disagreements(card, twin.signature) == []
    else:
        assert not (folder / TWIN).exists()
        assert card.document["verified"]["twin"]["reason"]
    assert cards.disagreements(card, saved.signature) == []


def test_every_model_answers_its_example_over_http(store, tmp_path):
    folders = [store(name) for name in ZOO]
    with running(folders[0].parent.parent, tmp_path / "log", workers=1) as server:
        for name in ZOO:
            details = server.get(f"/models/{name}").json()
            answer = server.post(f"/predict/{name}", details["example"])

            assert answer.status_code == 200, (name, answer.text)
            assert set(answer.json()) == set(TASKS[name].outputs), name
