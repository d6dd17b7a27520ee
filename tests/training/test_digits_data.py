"""Digits from scikit-learn and from MNIST's own files: reproducible, without leaks, and damage is a clear mistake."""

import base64
import gzip
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.data.digits import (
    EXAMPLE_ROW,
    SHARES,
    SIDE,
    TASK,
    bundled,
    by_other_hands,
    generate,
    other_hand,
    read,
)
from training.formats import mnist
from training.mistakes import DataMistake

ROWS = 1_797
SPLITS = ("train", "validation", "test")
TRAIN, TEST = 60, 12


@pytest.fixture(scope="module")
def made():
    return generate(2_500, 0)


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    found = {}
    for part, rows in (("train", TRAIN), ("test", TEST)):
        found[f"x_{part}"] = rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
        found[f"y_{part}"] = (np.arange(rows) % 10).astype(np.uint8)
    return found


def idx(array):
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def folder(path, found, end="", dotted=False):
    for name, stem in mnist.FILES.items():
        content = idx(found[name])
        file = f"{stem.replace('-idx', '.idx') if dotted else stem}{end}"
        (path / file).write_bytes(gzip.compress(content) if end else content)
    return path


def npz(path, **found):
    np.savez(path / "mnist.npz", **found)
    return path / "mnist.npz"


def images(table):
    return [image.tobytes() for image in table["image"]]


def fault(path):
    with pytest.raises(DataMistake) as caught:
        read(path, 0)
    return str(caught.value)


def test_bundled_digits_look_like_those_of_mnist():
    pictures, digits = bundled()

    assert pictures.shape == (ROWS, 28, 28)
    assert pictures.dtype == np.uint8
    assert set(digits) == set(range(10))
    assert pictures.max() == 255
    assert not pictures[:, :4].any()
    assert not pictures[:, :, -4:].any()


def test_equal_seeds_give_equal_rows_and_other_seeds_other_rows(made):
    again, other = generate(2_500, 0), generate(2_500, 1)

    assert all(images(getattr(made, part)) == images(getattr(again, part)) for part in SPLITS)
    assert images(other.test) != images(made.test)


def test_rows_beyond_the_bundled_ones_are_for_training_alone(made):
    sizes = [len(getattr(made, part)["digit"]) for part in SPLITS]
    few = [len(getattr(generate(100, 0), part)["digit"]) for part in SPLITS]

    assert sum(sizes) == 2_500
    assert sizes[1] == pytest.approx(ROWS * SHARES[1], abs=1)
    assert sizes[2] == pytest.approx(ROWS * (1 - sum(SHARES)), abs=1)
    assert few == [64, 16, 20]


def test_no_picture_to_be_judged_on_was_learnt(made):
    learnt, judged = set(images(made.train)), {*images(made.validation), *images(made.test)}

    assert not learnt & judged
    assert learnt | judged >= {picture.tobytes() for picture in bundled()[0]}


def test_what_other_hands_write_keeps_its_label():
    table = {"image": [bundled()[0][EXAMPLE_ROW]], "digit": ["6"]}
    more = by_other_hands(table, 5, np.random.default_rng(0))

    assert more["digit"] == ["6"] * 6
    assert len(set(images(more))) == 6
    assert images(more)[0] == images(table)[0]


def test_another_hand_writes_the_same_digit_otherwise():
    picture = bundled()[0][EXAMPLE_ROW]
    rng = np.random.default_rng(0)
    written = [other_hand(picture, rng) for _ in range(200)]
    inked = [np.argwhere(image > 127) for image in written]

    assert len({image.tobytes() for image in written}) == 200
    assert min(map(len, inked)) > 20, "no pen is so fine that nothing is left"
    assert max(map(len, inked)) > 2 * len(np.argwhere(picture > 127)) > 4 * min(map(len, inked))
    assert max(np.abs(places.mean(axis=0) - SIDE / 2).max() for places in inked) < SIDE / 4, "it stays in the picture"


def test_the_example_is_a_bundled_digit():
    found = np.asarray(Image.open(BytesIO(base64.b64decode(TASK.example["image"]))))

    assert np.array_equal(found, bundled()[0][EXAMPLE_ROW])


@pytest.mark.parametrize(("end", "dotted"), [("", False), (".gz", False), ("", True), (".gz", True)])
def test_idx_files_and_npz_hold_the_same_digits(tmp_path, end, dotted):
    found = arrays()
    (tmp_path / "idx").mkdir()
    one = read(folder(tmp_path / "idx", found, end, dotted), 3)
    other = read(npz(tmp_path, **found), 3)

    for part in SPLITS:
        assert images(getattr(one, part)) == images(getattr(other, part))
        assert getattr(one, part)["digit"] == getattr(other, part)["digit"]


def test_the_test_rows_are_mnists_own_and_a_sixth_of_the_others_validates(tmp_path):
    found = arrays()
    splits = read(npz(tmp_path, **found), 0)

    assert images(splits.test) == [image.tobytes() for image in found["x_test"]]
    assert splits.test["digit"] == [str(digit) for digit in found["y_test"]]
    assert len(splits.validation["digit"]) == TRAIN // 6
    both = images(splits.train) + images(splits.validation)
    assert sorted(both) == sorted(image.tobytes() for image in found["x_train"])


def test_pictures_keep_their_labels(tmp_path):
    found = arrays()
    labels = {image.tobytes(): str(digit) for image, digit in zip(found["x_train"], found["y_train"], strict=True)}
    splits = read(npz(tmp_path, **found), 5)

    for table in (splits.train, splits.validation):
        assert [labels[image] for image in images(table)] == table["digit"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_other_files_are_left_to_others(tmp_path, name):
    assert read(tmp_path / name, 0) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((TRAIN, 8, 8), np.uint8)}, "x_train has shape (60, 8, 8) of uint8, not"),
        ({"x_test": np.zeros((TEST, 28, 28), np.float32)}, "of float32"),
        ({"y_train": np.zeros(TRAIN - 1, np.uint8)}, "y_train has shape (59,)"),
        ({"y_test": np.full(TEST, 11, np.uint8)}, "y_test has 12 labels that are no digit, such as 11"),
        ({"y_test": np.zeros(TEST, np.float32)}, "not (12,) of whole numbers"),
        ({"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)}, "x_test holds no rows"),
        ({"x_train": np.zeros((9, 28, 28), np.uint8), "y_train": np.zeros(9, np.uint8)}, "only 9 training rows"),
        ({"x_train": np.array([None]), "y_train": np.zeros(1)}, "is not a whole .npz file"),
    ],
    ids=str,
)
def test_arrays_that_are_no_digits_are_refused(tmp_path, change, message):
    assert message in fault(npz(tmp_path, **{**arrays(), **change}))


def test_an_npz_without_the_arrays_names_them_and_its_own(tmp_path):
    assert "no array y_train, y_test; it has x_train, x_test" in fault(
        npz(tmp_path, **{name: array for name, array in arrays().items() if name.startswith("x")})
    )


def test_a_missing_npz_and_an_empty_folder_are_named(tmp_path):
    assert "cannot be read: No such file" in fault(tmp_path / "mnist.npz")
    assert "no file train-images-idx3-ubyte" in fault(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole .npz and a folder of whole gzip files, as bytes by file name."""
    place = tmp_path_factory.mktemp("whole")
    packed = folder(place, arrays(), ".gz")
    return npz(place, **arrays()).read_bytes(), {file.name: file.read_bytes() for file in packed.glob("*.gz")}


@given(cut=st.floats(0, 0.99), flip=st.booleans())
@settings(max_examples=25)
def test_damage_is_a_mistake_of_the_file_and_never_a_crash(tmp_path_factory, whole, cut, flip):
    """Cut short it is always refused; a flipped byte may also be a pixel of another grey."""
    place = tmp_path_factory.mktemp("damaged")
    archive, packed = whole
    for name, content in {"mnist.npz": archive, **packed}.items():
        at = int(cut * len(content))
        damaged = content[:at] + bytes((content[at] ^ 0xFF,)) + content[at + 1 :] if flip else content[:at]
        (place / name).write_bytes(damaged)
    assert accepted(place / "mnist.npz") <= flip
    assert accepted(place) <= flip


def accepted(path):
    """Whether the file is taken for digits; whatever is raised but a mistake of the file fails the test."""
    try:
        return len(read(path, 0).test["digit"]) > 0
    except DataMistake:
        return False


def test_one_array_is_no_archive(tmp_path):
    with (tmp_path / "mnist.npz").open("wb") as file:
        np.save(file, np.zeros(3))

    assert "is one array" in fault(tmp_path / "mnist.npz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an idx file of bytes with 3 dimensions"),
        (idx(np.zeros((2, 2), np.uint8)), "is not an idx file of bytes with 3 dimensions"),
        (idx(np.zeros((2, 28, 28), np.uint8))[:-1], "has 1,567 bytes of data, its header says 1,568"),
        (bytes((0, 0, 8, 3)) + b"\xff" * 12, "has 0 bytes of data"),
    ],
    ids=["empty", "two dimensions", "one byte short", "a header of huge sizes"],
)
def test_an_idx_file_that_is_none_is_named(tmp_path, content, message):
    found = fault_of(tmp_path, content)

    assert message in found
    assert "train-images-idx3-ubyte" in found


def fault_of(path, content):
    (folder(path, arrays()) / "train-images-idx3-ubyte").write_bytes(content)
    return fault(path)
