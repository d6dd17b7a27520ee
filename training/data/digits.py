"""Handwritten digits: scikit-learn's 1,797 bundled ones unless a person brings MNIST.

The bundled digits (Alpaydin and Kaynak 1998, UCI repository) have 8 × 8 pixels of 17 greys. They are made to look like
MNIST: scaled up to 20 × 20 and set in the middle of 28 × 28, white on black. Who wrote which is not known, so rows and
not writers are split. Training rows beyond the 1,797 are training digits again, as other hands might have written
them: turned, slanted, wider or narrower, not quite in the middle, and with a finer or broader pen.

MNIST keeps its own test set (mnist.py); validation rows are cut from its training rows.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.formats import mnist
from training.mistakes import DataMistake
from training.task import Image, Preset, Probabilities, Splits, Table, Task

Pixels = NDArray[np.uint8]

SIDE, INNER = 28, 20
TURNED, SLANTED, MOVED = np.radians(15), 0.4, 3  # MOVED: pixels, before it is wider
WIDTHS, HEIGHTS = (0.7, 1.6), (0.7, 1.1)  # Of what they were.
GREYS, WHITE = 16, 255
CUTS, STEEPEST = (10, 220), 10  # Of 255 greys; how much steeper than it was.
SHARES = (0.64, 0.16)  # Training and validation; the rest, a fifth, is the test.
VALIDATION = 1 / 6  # Of MNIST's training rows.
FEWEST = 10
LABELS = tuple("0123456789")


def bundled() -> tuple[Pixels, NDArray[np.int64]]:
    """scikit-learn's digits as uint8 (1797, 28, 28), and which they are (1797,)."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return np.stack([_enlarged(image) for image in data.images]), data.target


def generate(rows: int, seed: int) -> Splits:
    """The bundled digits, shuffled by seed; fewer if fewer `rows` are asked for, else more by other hands."""
    images, digits = bundled()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))[:rows]
    train, validation, test = np.split(order, np.round(np.cumsum(SHARES) * len(order)).astype(int))
    return Splits(
        by_other_hands(_table(images[train], digits[train]), rows - len(order), rng),
        _table(images[validation], digits[validation]),
        _table(images[test], digits[test]),
    )


def read(path: Path, seed: int) -> Splits | None:
    """MNIST's own test rows, and its training rows with a sixth of them cut off for validation by seed.

    DataMistake if the file or folder is damaged; None if it is of another kind.
    """
    found = mnist.arrays(path)
    if found is None:
        return None
    images, digits = found["x_train"], found["y_train"]
    if len(images) < FEWEST:
        raise DataMistake(path.name, [f"only {len(images)} training rows; at least {FEWEST} are needed"])
    order = np.random.default_rng(seed).permutation(len(images))
    validation, train = np.split(order, [round(VALIDATION * len(order))])
    return Splits(
        _table(images[train], digits[train]),
        _table(images[validation], digits[validation]),
        _table(found["x_test"], found["y_test"]),
    )


def by_other_hands(table: Table, count: int, rng: np.random.Generator) -> Table:
    """The table's rows, and so many more: some of its digits again, as other hands might have written them."""
    again = rng.integers(0, len(table["digit"]), count)
    return {
        "image": table["image"] + [other_hand(table["image"][place], rng) for place in again],
        "digit": table["digit"] + [table["digit"][place] for place in again],
    }


def other_hand(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The digit laid otherwise, and written with another pen.

    Cut at a lower grey a blurred line is a broader one; the more steeply it is cut, the sharper are its edges.
    """
    from PIL import Image as Picture

    turn, slant = rng.uniform(-TURNED, TURNED), rng.uniform(-SLANTED, SLANTED)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, slant], [0, 1]]
    back /= [rng.uniform(*WIDTHS), rng.uniform(*HEIGHTS)]
    start = SIDE / 2 - back.sum(axis=1) * SIDE / 2 + rng.uniform(-MOVED, MOVED, 2)
    places = tuple(np.column_stack([back, start]).flat)
    laid = Picture.fromarray(image).transform(
        (SIDE, SIDE), Picture.Transform.AFFINE, places, Picture.Resampling.BILINEAR
    )
    grey, steep = rng.uniform(*CUTS), STEEPEST ** rng.random()
    written: Pixels = np.clip((np.asarray(laid, np.float32) - grey) * steep + grey, 0, WHITE).astype(np.uint8)
    return written


def _enlarged(image: NDArray[np.float64]) -> Pixels:
    """8 × 8 greys from 0 to 16 as 20 × 20 from 0 to 255, within 28 × 28."""
    from PIL import Image as Picture

    grey = Picture.fromarray(np.round(image * (WHITE / GREYS)).astype(np.uint8))
    inner = np.asarray(grey.resize((INNER, INNER), Picture.Resampling.BICUBIC))
    return np.pad(inner, (SIDE - INNER) // 2)


def _table(images: Pixels, digits: NDArray[np.integer]) -> Table:
    return {"image": list(images), "digit": [LABELS[digit] for digit in digits]}


EXAMPLE_ROW = 6
EXAMPLE = (
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAABL0lEQVR42sWS207CMByHuwN27sDGgCAqIlHMEi+M8cY38S18Md/E"
    "K42JCZogmbIArtAd2LHbvFHctPf0qun3/379pSkAW138zd3z9P5WKZ38bBhGUSQ+8qLSOLuZqh/0e5LzscopJuwYxiCdvc5yiqkM"
    "L0+k1BrbGQU2Lq4HwDXfEM2Uj0+1fDm13IxyJ7cLC8d6n8W0tgxbrJefqzL7hSzcIX6qtmWOFguFMBAMYFr+fwgAAJx+BlV1gYLv"
    "xpuQ3lUf8gLUhued0CV/zAS7nW6dbx2KD3ieJkXF1I+aDbGGyb7MmfY6yitQ0qRWM5/YguajAKOsEutP9N5elhIPubwMmWohkCQc"
    "S6BSc8ZPIxNXY0kYc7zYbRPr5XG0CIvKCxUxRiioiWzkOX68vc/6BYZmfBWuVZFxAAAAAElFTkSuQmCC"
)
"""The bundled row of this number, a PNG in base64."""

TASK = Task(
    title="Handwritten digits",
    description="Which digit a picture of 28 × 28 grey pixels shows, white on black.",
    inputs={"image": Image("The picture of a digit", SIDE, SIDE, channels=1)},
    outputs={"digit": Probabilities("The digit", labels=LABELS)},
    example={"image": EXAMPLE},
    generate=generate,
    data="scikit-learn's 1,797 bundled digits, scaled up from 8 × 8 pixels, some again as other hands might write them",
    presets={
        "quick": Preset(rows=10_000, epochs=8, batch=128, learning_rate=3e-3, decay=True),
        "full": Preset(rows=20_000, epochs=15, batch=128, learning_rate=3e-3, decay=True),
    },
    baselines={"digit": "majority"},
    read=read,
)
