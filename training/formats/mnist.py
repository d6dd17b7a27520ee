"""MNIST as people have it on disk: one .npz as Keras downloads it, or a folder with the four idx files, plain or gzip.

    mnist.npz    x_train (60000, 28, 28)  y_train (60000,)  x_test (10000, 28, 28)  y_test (10000,), all uint8
    idx file     0 0 8 d │ d sizes, 4 bytes each, big-endian │ the bytes themselves; 8 says uint8, d is 1 or 3

The idx format is described at http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.mistakes import DataMistake

SIDE, DIGITS = 28, 10
FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
UBYTE = 8
DAMAGE = (ValueError, EOFError, MemoryError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise on a damaged archive; RuntimeError for what looks encrypted or oddly compressed."""

Pixels = NDArray[np.uint8]
Arrays = Mapping[str, Pixels]
"""The four arrays by their names in the .npz."""


def arrays(path: Path) -> Arrays | None:
    """What stands in a .npz or a folder; None for any other file, DataMistake for one that holds no such digits."""
    if path.is_dir():
        found: dict[str, Any] = {name: _idx(_file(path, stem)) for name, stem in FILES.items()}
    elif path.suffix.lower() == ".npz":
        found = _npz(path)
    else:
        return None
    problems = [fault for part in ("train", "test") for fault in _faults(found, part)]
    if problems:
        raise DataMistake(path.name, problems)
    return found


def _npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataMistake(path.name, ["is one array, not an .npz file of four"])
            missing = [name for name in FILES if name not in archive]
            if missing:
                raise DataMistake(path.name, [f"no array {', '.join(missing)}; it has {', '.join(archive) or 'none'}"])
            return {name: archive[name] for name in FILES}
    except OSError as error:
        raise DataMistake(path.name, [f"cannot be read: {error.strerror or error}"]) from error
    except DAMAGE as error:
        raise DataMistake(path.name, [f"is not a whole .npz file: {error}"]) from error


def _file(folder: Path, stem: str) -> Path:
    """The file in the folder, under either of its common names, gzip or not."""
    names = [name + end for name in (stem, stem.replace("-idx", ".idx")) for end in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataMistake(folder.name, [f"no file {stem}; a folder needs {', '.join(FILES.values())}, each perhaps .gz"])


def _idx(path: Path) -> Pixels:
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataMistake(path.name, [f"cannot be read: {getattr(error, 'strerror', None) or error}"]) from error
    rank = 3 if "idx3" in path.name else 1
    start = 4 + 4 * rank
    if len(content) < start or content[:4] != bytes((0, 0, UBYTE, rank)):
        raise DataMistake(path.name, [f"is not an idx file of bytes with {rank} dimensions"])
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], dtype=">u4"))
    if len(content) - start != prod(shape):
        raise DataMistake(path.name, [f"has {len(content) - start:,} bytes of data, its header says {prod(shape):,}"])
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _faults(found: Mapping[str, Any], part: str) -> list[str]:
    """What keeps the pictures and labels of one part from being digits."""
    x, y = found[f"x_{part}"], found[f"y_{part}"]
    if x.shape[1:] != (SIDE, SIDE) or x.dtype != np.uint8:
        return [f"x_{part} has shape {x.shape} of {x.dtype}, not (rows, {SIDE}, {SIDE}) of uint8"]
    if y.shape != x.shape[:1] or not np.issubdtype(y.dtype, np.integer):
        return [f"y_{part} has shape {y.shape} of {y.dtype}, not {x.shape[:1]} of whole numbers"]
    if not len(y):
        return [f"x_{part} holds no rows"]
    wrong = y[(y < 0) | (y >= DIGITS)]
    return [f"y_{part} has {len(wrong)} labels that are no digit, such as {wrong[0]}"] if len(wrong) else []
