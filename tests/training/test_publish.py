"""python -m training.publish: a model from outside gets all that ours have, or one line says why it cannot."""

import json
import re
from base64 import b64decode
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from keras import layers

from service import golden
from service.card import parse
from service.engines.onnx import OnnxEngine
from service.engines.saved_model import SavedModelEngine
from service.fields.kinds import field
from service.images import decode
from service.signature import TensorSpec
from service.versions import manifest
from training.generators.encoded import png
from training.publish import graph, kinds, rows
from training.publish.__main__ import main

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, in save

DOCUMENT = (Path(__file__).parents[2] / "docs" / "own.md").read_text("utf-8")


def block(language):
    """The first piece of the document in a language."""
    return re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[1]


def published(store, capsys, *given):
    """The card of what the command publishes, its folder, and what it said."""
    assert main([*map(str, given), "--out", str(store)]) == 0
    said = capsys.readouterr().out
    (folder,) = (Path(line.split("  ")[0]) for line in said.splitlines() if line.startswith(f"{store}/"))
    return json.loads((folder / "assets.extra/card.json").read_text()), folder, said


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Models as people write them, and the document's files."""
    folder = tmp_path_factory.mktemp("own")
    head, *lines = block("csv").splitlines(keepends=True)
    (folder / "adverts.csv").write_text("".join([head, *lines, *lines]))
    (folder / "card.json").write_text(block("json"))
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        exec(block("python"), {})
    grid, size = keras.Input((2, 3), name="grid"), keras.Input((1,), name="size")
    both = layers.Concatenate()([layers.Flatten()(grid), size])
    heads = {"sure": layers.Dense(1, "sigmoid")(both), "which": layers.Softmax()(layers.Dense(4)(both))}
    pair = keras.Model({"grid": grid, "size": size}, heads)
    pair.save(folder / "pair.keras")
    pair.export(folder / "pair/7", verbose=False)
    (folder / "pair/7/assets.extra").mkdir()
    (folder / "pair/7/assets.extra/model.int8.onnx").write_text("of another version")
    picture = keras.Input((6, 4), dtype="uint8", name="photo")
    keras.Sequential([picture, layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3, "softmax")]).save(
        folder / "picture.keras"
    )
    dim = keras.Input((6, 4, 1), name="photo")
    keras.Model(dim, layers.Dense(3, "softmax")(layers.Flatten()(dim))).save(folder / "dim.keras")
    keras.Model(dim, layers.Flatten()(layers.Rescaling(1 / 255)(dim))).save(folder / "scaled.keras")
    across = keras.Model(size, layers.Softmax(axis=0, name="share")(size))
    across.save(folder / "across.keras")
    series = keras.Input((None, 1), name="series")
    scale = layers.Normalization()
    scale.adapt(np.array([[[0.0], [2.0]]]))
    keras.Model(series, layers.GlobalAveragePooling1D(name="mean")(scale(series))).save(folder / "series.keras")
    fixed = keras.Input((3,), batch_size=4, name="x")
    keras.Model(fixed, layers.Dense(1)(fixed)).save(folder / "fixed.keras")
    keras.Model(size, Doubled()(size)).save(folder / "doubled.keras")
    (folder / "notes.keras").write_text("no model")
    (folder / "empty").mkdir()
    return folder


class Doubled(layers.Layer):
    """A layer that nobody else knows."""

    def call(self, x):
        return 2 * x


@pytest.fixture
def advert(home, tmp_path, capsys):
    return published(
        tmp_path, capsys, home / "advert.keras", "--rows", home / "adverts.csv", "--card", home / "card.json"
    )


def test_the_documents_model_is_understood(advert):
    card, folder, said = advert

    assert [spec["kind"] for spec in card["inputs"].values()] == ["text", "numbers"]
    assert card["inputs"]["advert"]["example"] == "cheap red bicycle"
    assert card["inputs"]["age"] | {"unit": "years", "example": 1.0} == card["inputs"]["age"]
    assert card["outputs"]["price"]["kind"] == "number"
    assert card["outputs"]["sort"]["labels"] == ["bicycle", "car", "clothes"]
    assert card["metrics"]["sort"]["accuracy"] > card["metrics"]["sort"]["baseline"]["accuracy"]
    assert card["metrics"]["price"]["mae"] < card["metrics"]["price"]["baseline"]["mae"]
    drawn = {one.name for one in (folder / "assets.extra/report").iterdir()}
    assert {"layers.png", "price.scatter.png", "sort.confusion.png"} < drawn
    assert re.search(r"^price +MAE \(EUR\) ", said, re.MULTILINE)
    assert card["provenance"]["file"].startswith("advert.keras (SHA-256 ")
    assert set(card["distribution"]["inputs"]) == {"advert", "age"}
    assert "twin    none, so TensorFlow serves it: not converted: ValueError: ONNX has no " in said
    manifest.check(folder, folder.parent.parent)


def test_golden_strings_are_asked_and_answered(advert):
    _, folder, _ = advert
    groups = golden.read(folder)

    assert {type(text) for inputs, _ in groups for text in inputs["advert"].ravel()} == {str}
    assert golden.check(SavedModelEngine(folder), groups) < 1e-6


def test_a_file_and_a_folder_become_the_same_version(home, tmp_path, capsys):
    (one, first, _), (other, second, said) = (
        published(tmp_path, capsys, home / name) for name in ("pair.keras", "pair/7")
    )

    assert (first.name, second.name) == ("1", "2")
    assert one["inputs"] == other["inputs"]
    assert one["outputs"]["which"] == other["outputs"]["which"]
    assert one["outputs"]["which"]["labels"] == ["0", "1", "2", "3"]
    # How an output is made stands in Keras' file alone.
    assert [card["outputs"]["sure"]["kind"] for card in (one, other)] == ["probability", "number"]
    assert "distribution" not in one
    assert one["verified"]["batch_invariance"]["largest_difference"] < 1e-5
    assert not (second / "assets.extra/model.int8.onnx").exists()
    assert "made up" in one["provenance"]["data"]
    for folder in (first, second):
        assert golden.check(OnnxEngine(folder), golden.read(folder)) < 1e-5
    asked = json.dumps({name: spec["example"] for name, spec in other["inputs"].items()})
    assert f"curl -s 127.0.0.1:8000/predict/pair -d '{asked}'" in said


def test_bytes_of_a_size_are_a_picture(home, tmp_path, capsys):
    pixels = np.arange(24, dtype="uint8").reshape(6, 4)
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"photo": one}) + "\n" for one in (png(pixels), [[9] * 4] * 6))
    )
    card, _, _ = published(tmp_path, capsys, home / "picture.keras", "--rows", tmp_path / "rows.jsonl")
    photo, (kind,) = card["inputs"]["photo"], card["outputs"].values()

    assert (photo["kind"], photo["height"], photo["width"], photo["channels"]) == ("image", 6, 4, 1)
    assert decode(b64decode(photo["example"]), (6, 4)).tolist() == pixels.tolist()
    assert kind["kind"] == "probabilities"
    assert card["verified"]["twin"]["kept"]


@pytest.mark.parametrize(
    ("name", "said", "white"), [("scaled", {}, 255), ("dim", {"kind": "image", "range": [0, 1]}, 1)]
)
def test_floats_are_a_picture_where_black_and_white_are_known(home, tmp_path, capsys, name, said, white):  # noqa: PLR0917
    pixels = np.arange(24, dtype="uint8").reshape(6, 4) * 10
    scaled = (pixels[..., None] / 255 * white).tolist()
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"photo": one}) + "\n" for one in (png(pixels), scaled)))
    (tmp_path / "card.json").write_text(json.dumps({"inputs": {"photo": said}}))
    given = ["--rows", tmp_path / "rows.jsonl", "--card", tmp_path / "card.json"]
    card, folder, _ = published(tmp_path, capsys, home / f"{name}.keras", *given)
    photo = card["inputs"]["photo"]

    assert (photo["kind"], photo["channels"], photo["range"]) == ("image", 1, [0, white])
    assert decode(b64decode(photo["example"]), (6, 4)).tolist() == pixels.tolist()
    for inputs, _ in golden.read(folder):
        for row in inputs["photo"]:
            assert row == pytest.approx(np.array(scaled, "float32"))


def test_rows_of_any_length_are_judged_by_their_own_truth(home, tmp_path, capsys):
    told = [{"series": [[one]] * (1 + one % 3), "mean": one - 1, "note": "", "by": "Ann"} for one in range(12)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    card, _, said = published(tmp_path, capsys, home / "series.keras", "--rows", tmp_path / "rows.jsonl")

    assert card["metrics"]["mean"]["mae"] == pytest.approx(0, abs=1e-6)
    assert "left out, for no input or output is called so: note, by\n" in said


def test_what_a_normalization_has_learnt_is_in_the_twin(home, tmp_path, capsys):
    card, folder, _ = published(tmp_path, capsys, home / "series.keras")

    assert card["verified"]["twin"]["kept"]
    assert card["parameters"] == 3
    assert golden.check(OnnxEngine(folder), golden.read(folder)) < 1e-5


def test_of_many_rows_some_of_every_kind_are_looked_at():
    """A file may have its classes in turns."""
    found = rows.some([(f"line {place}", {"turn": place % 2}) for place in range(2 * rows.MOST)])

    assert len(found) == rows.MOST
    assert found == sorted(found, key=lambda record: int(record[0][5:]))
    assert 0.4 < np.mean([record["turn"] for _, record in found]) < 0.6


def test_ids_beyond_an_embedding_are_not_asked_for():
    ids = keras.Input((2,), dtype="int32", name="ids")
    known = graph.lookups(keras.Model(ids, layers.Embedding(9, 1)(ids)))
    drafted = kinds.of_input(TensorSpec("ids", np.dtype("int32"), (None, 2)), [np.zeros(2, "i4")], known["ids"], {})
    assert (drafted["minimum"], drafted["maximum"]) == (0, 8)


def test_a_model_that_mixes_rows_is_published_with_a_warning(home, tmp_path, capsys):
    card, _, said = published(tmp_path, capsys, home / "across.keras")
    off = card["verified"]["batch_invariance"]["largest_difference"]

    assert 0.1 < off < 1
    assert f"warning: an answer moves by up to {off:.2g} with the rows that share its batch" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["fixed.keras"], "the first axis of x, dense"),
        (["doubled.keras"], "Doubled in it is your own, and not known here; write a SavedModel where it was made"),
        (["notes.keras"], "is no .keras file"),
        (["empty"], "empty is no SavedModel: it has no saved_model.pb"),
        (["nothing.keras"], "nothing.keras: no such file or folder"),
        (["advert.keras"], "advert: text cannot be made up; give --rows FILE"),
        (["advert.keras", "--rows", "wrong.csv"], "wrong.csv: line 2: age is 'x', not numbers; line 3: age is empty"),
        (["pair.keras", "--card", "labels.json"], "output 'which' has shape (4), the card says (2)"),
        (["pair.keras", "--card", "names.json"], "the card has inputs gird; the model has grid, size"),
        (["pair.keras", "--card", "members.json"], "the card is wrong at outputs/which: Additional properties"),
        (["pair.keras", "--card", "kinds.json"], "size cannot be of the kind image: it is float32 (1)"),
        (["pair.keras", "--card", "adverts.csv"], "adverts.csv is not JSON"),
        (["advert.keras", "--rows", "truth.csv"], "the rows say of price 'cheap', but the model gives numbers"),
        (["dim.keras", "--rows", "files.csv"], "photo is 'a.png', not numbers; if it takes pictures, say so on a card"),
        (["dim.keras", "--card", "picture.json"], "photo is of floats: say what black and white are in them"),
        (["pair.keras", "--model", "two words"], "'two words' is no name of a model"),
    ],
)
def test_a_mistake_is_one_line_and_publishes_nothing(home, tmp_path, capsys, given, said):
    (home / "wrong.csv").write_text("advert,age\nred car,x\nblue car,\n")
    (home / "truth.csv").write_text("advert,age,price\nred car,1,cheap\n")
    (home / "files.csv").write_text("photo\na.png\n")
    (home / "picture.json").write_text('{"inputs": {"photo": {"kind": "image"}}}')
    (home / "labels.json").write_text('{"outputs": {"which": {"labels": ["yes", "no"]}}}')
    (home / "names.json").write_text('{"inputs": {"gird": {"title": "Grid"}}}')
    (home / "kinds.json").write_text('{"inputs": {"size": {"kind": "image"}}}')
    (home / "members.json").write_text('{"outputs": {"which": {"lables": ["a", "b"]}}}')
    whole = [str(home / one) if "." in one or one == "empty" else one for one in given]

    assert main([*whole, "--out", str(tmp_path / "store")]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("publish: ")
    assert said in line
    assert not list(tmp_path.rglob("*.pb"))


shapes = arrays.array_shapes(min_dims=0, max_dims=3, max_side=4)


@given(arrays.arrays("float32", shapes, elements=st.floats(-1e6, 1e6, width=32)) | arrays.arrays("int32", shapes))
def test_the_example_is_the_row_however_it_is_shaped(row):
    spec = TensorSpec("x", row.dtype, (None, *row.shape))
    drafted = kinds.of_input(spec, [row], None, {})
    meaning = parse({"format": 1, "title": "", "inputs": {"x": drafted}, "outputs": {}}).inputs["x"]

    read = field(spec, meaning, None).array(drafted["example"])
    assert (read.dtype, read.tolist()) == (row.dtype, row.tolist())


@given(arrays.arrays("float32", shapes, elements=st.floats(-1e6, 1e6, width=32)))
def test_a_cell_of_json_is_the_row(row):
    spec = TensorSpec("x", row.dtype, (None, *row.shape))

    assert rows.field(json.dumps(row.tolist()), spec, None, Path()).tolist() == row.tolist()
