"""What somebody brings: a .keras file, which becomes a SavedModel here, or a folder that is one already."""

import re
import shutil
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.mistakes import Mistake

OURS = ("assets.extra", "manifest.json", "manifest.json.sig")
"""What a version has beside its SavedModel, made anew for every one."""
EXPORT = "write a SavedModel where it was made, model.export('build/mymodel'), and publish that folder"


@dataclass(frozen=True)
class Brought:
    """A model from outside; `write` makes a SavedModel of it in a folder, `draw` a picture of its layers in another."""

    file: Path
    write: Callable[[Path], None]
    draw: Callable[[Path], Sequence[Any]] | None = None
    activations: Mapping[str, str] = field(default_factory=dict)
    """How each output is made, by Keras' name, where that is known."""
    lookups: Mapping[str, list[str] | int] = field(default_factory=dict)
    """Of the inputs that are looked up in a list: its strings, or how many rows an embedding has."""
    scaled: Collection[str] = ()
    """Inputs that are scaled first of all: pixels, from 0 to 255."""
    parameters: int | None = None
    """As Keras counts them, with what a Normalization has learnt."""


def opened(file: Path) -> Brought:
    """The model of a file or folder; Mistake if it is none."""
    if not file.exists():
        raise Mistake(f"{file}: no such file or folder")
    if not file.is_dir():
        return _keras(file)
    if not (file / "saved_model.pb").is_file():
        raise Mistake(f"{file} is no SavedModel: it has no saved_model.pb (Keras' model.export writes one)")
    return Brought(file, lambda folder: _copy(file, folder))


def _copy(file: Path, folder: Path) -> None:
    shutil.copytree(file, folder, ignore=lambda at, _: OURS if Path(at) == file else (), dirs_exist_ok=True)


def _keras(file: Path) -> Brought:
    import keras

    from training.publish import graph

    if file.suffix == ".keras" and not zipfile.is_zipfile(file):
        raise Mistake(f"{file} is no .keras file, such as model.save writes")

    try:
        model = keras.saving.load_model(file, compile=False)
    except Exception as error:  # Keras raises whatever a layer's own code does.
        raise Mistake(f"{file} cannot be loaded: {_reason(error)}; {EXPORT}") from error
    if not getattr(model, "inputs", None):
        raise Mistake(f"{file} does not say what it takes: begin it with keras.Input; or {EXPORT}")
    return Brought(
        file,
        write=lambda folder: graph.write(model, folder),
        draw=lambda folder: graph.draw(model, folder),
        activations=graph.activations(model),
        lookups=graph.lookups(model),
        scaled=graph.scaled(model),
        parameters=model.count_params(),
    )


def _reason(error: Exception) -> str:
    """Why Keras cannot load a file, in a few words."""
    own = re.search(r"Could not locate (?:class|function) '(\w+)'", str(error))
    if own:
        return f"{own[1]} in it is your own, and not known here"
    return next(iter(str(error).strip().split(". ")), type(error).__name__)[:160]
