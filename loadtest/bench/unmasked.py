"""python -m loadtest.bench.unmasked FOLDER TARGET: a version whose SavedModel takes padding for words, as published.

Keras masks nothing unless it is told to, and so most models out there answer a padded row otherwise than the row. The
weights, and what lies beside them, stay those of FOLDER; its rows without padding are answered as before. The twin is
the unmasked graph already.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SEED = "seed_generator"
"""A variable of dropout's, which is no weight."""


def ask(folder: Path, target: Path) -> Path:
    """The version, made by a process of its own; SystemExit with what it printed."""
    command = [sys.executable, "-m", __name__, str(folder), str(target)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{' '.join(command)}\n{ran.stderr}")
    return target


def main(folder: Path, target: Path) -> None:
    """Write the version; ValueError if it answers golden rows otherwise."""
    import tensorflow as tf

    from models import ZOO
    from service import golden
    from service.engines.saved_model import SavedModelEngine

    card = json.loads((folder / "assets.extra" / "card.json").read_text())
    model = ZOO[card["model"]][card["version"]].unmasked(**sizes(card))
    loaded = tf.saved_model.load(str(folder))
    model.set_weights([one.numpy() for one in loaded.variables if SEED not in one.name])
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in model.input.items()]
    model.export(str(target), verbose=False, input_signature=[dict(zip(model.input, signature, strict=True))])
    for part in ("assets", "assets.extra"):
        shutil.copytree(folder / part, target / part, dirs_exist_ok=True)
    golden.check(SavedModelEngine(target), golden.read(target))


def sizes(card: Mapping[str, Any]) -> dict[str, int]:
    """The sizes of a model of words as its card tells them.

    >>> answer = {"kind": "probabilities", "labels": ["yes", "no"]}
    >>> sizes({"inputs": {"text": {"kind": "tokens", "words": 100}}, "outputs": {"answer": answer}})
    {'words': 100, 'answer': 2}
    """
    words = max(spec["words"] for spec in card["inputs"].values() if spec["kind"] == "tokens")
    classes = {name: spec["labels"] for name, spec in card["outputs"].items() if spec["kind"] == "probabilities"}
    return {"words": words, **{name: len(labels) for name, labels in classes.items()}}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
