"""Recordings of shoulder exercises with a watch, as the package seglearn has them in `watch_dataset.npy`: 140 series.

Ten people did sets of 20 repetitions of seven exercises with either arm, wearing a six-axis sensor at 50 Hz (Burns et
al. 2018, Shoulder physiotherapy exercise recognition, arXiv:1802.01489). Only the accelerometer is read, in g.

    X         140 × (t, 6)  ax, ay, az, wx, wy, wz, named by X_labels
    y         (140,)        places in y_labels: PEN, ABD, FEL, IR, ER, TRAP, ROW
    subject   (140,)        who it was

The file is a pickle, and a pickle can run anything: it is read by an unpickler that admits only what NumPy's arrays are
made of, and nothing is called that the file names. `numpy.load(allow_pickle=True)` would be at the file's mercy.
"""

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.mistakes import DataMistake

AXES = ("ax", "ay", "az")
NAMES = {
    "PEN": "pendulum",
    "ABD": "abduction",
    "FEL": "forward elevation",
    "IR": "internal rotation",
    "ER": "external rotation",
    "TRAP": "trapezius extension",
    "ROW": "upright row",
}


@dataclass(frozen=True)
class Recording:
    """One set of one exercise by one person: acceleration (t, 3) in g at 50 Hz."""

    person: str
    exercise: str
    acceleration: NDArray[np.float32]


def recordings(path: Path) -> list[Recording] | None:
    """All series of a file in this layout; None for a file that is no .npy, DataMistake for any other content."""
    if path.suffix.lower() != ".npy":
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataMistake(path.name, [f"cannot be read: {error.strerror or error}"]) from error
    found = _dictionary(path.name, content)
    missing = [name for name in ("X", "X_labels", "y", "y_labels", "subject") if name not in found]
    if missing:
        raise DataMistake(path.name, [f"no entry {', '.join(missing)}; it has {', '.join(map(str, found)) or 'none'}"])
    try:
        return _series(path.name, found)
    except (TypeError, ValueError, IndexError) as error:
        raise DataMistake(path.name, [f"its entries do not fit together: {error}"]) from error


def _dictionary(name: str, content: bytes) -> Mapping[str, Any]:
    """The one object of the file; DataMistake if it is not a dictionary of arrays, lists, numbers and text."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise DataMistake(name, [f"is a .npy file of version {version}, not (1, 0)"])
        np.lib.format.read_array_header_1_0(stream)
        found = _Arrays(stream).load()
    except pickle.UnpicklingError as error:
        raise DataMistake(name, [f"is not read: {error}"]) from error
    except (ValueError, TypeError, EOFError, KeyError, IndexError, AttributeError, MemoryError) as error:
        raise DataMistake(name, [f"is not a whole .npy file with one dictionary: {error}"]) from error
    found = found.item() if isinstance(found, np.ndarray) and found.ndim == 0 else found
    if not isinstance(found, dict):
        raise DataMistake(name, [f"holds {type(found).__name__}, not the dictionary of recordings"])
    return found


def _latin1(text: str, encoding: str) -> bytes:
    """What pickles of bytes call, and no other codec."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the codec {encoding!r} is not admitted")
    return text.encode("latin1")


# NumPy 2 has no public name for it.
RECONSTRUCT: Any = np.empty(0).__reduce__()[0]
ADMITTED: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("_codecs", "encode"): _latin1,
}


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}, which is not admitted")
        return ADMITTED[module, name]


def _series(name: str, found: Mapping[str, Any]) -> list[Recording]:
    columns = [list(found["X_labels"]).index(axis) for axis in AXES]
    made: list[Recording] = []
    problems: list[str] = []
    for place, (series, label, person) in enumerate(zip(found["X"], found["y"], found["subject"], strict=True)):
        values = np.asarray(series, np.float32)[:, columns]
        exercise = found["y_labels"][int(label)]
        if not np.isfinite(values).all():
            problems.append(f"series {place + 1} holds numbers that are not finite")
        elif exercise not in NAMES:
            problems.append(f"series {place + 1} is {exercise!r}, none of {', '.join(NAMES)}")
        else:
            made.append(Recording(str(person), NAMES[exercise], values))
    if problems:
        raise DataMistake(name, problems)
    return made
