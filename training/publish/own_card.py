"""What a person says of a model: a card of which any member may be left out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.signature import Signature
from training.mistakes import Mistake

MEMBERS = ("title", "description", "inputs", "outputs")


def read(file: Path | None) -> dict[str, Any]:
    """The members of the file, {} without one; Mistake if it is no card."""
    if file is None:
        return {}
    try:
        said = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise Mistake(f"{file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Mistake(f"{file} is not JSON: {error}") from error
    if not isinstance(said, dict):
        raise Mistake(f"{file} is not a JSON object")
    said.pop("format", None)
    strange = [name for name in said if name not in MEMBERS]
    if strange:
        raise Mistake(f"{file} has {', '.join(strange)}; what you can say are {', '.join(MEMBERS)}")
    for side in ("inputs", "outputs"):
        if not _is_nested(said.get(side, {})):
            raise Mistake(f"{file}: {side} is not an object of objects, one by the name of each")
    return said


def _is_nested(side: Any) -> bool:
    return isinstance(side, dict) and all(isinstance(members, dict) for members in side.values())


def refuse_strange(said: Mapping[str, Any], signature: Signature) -> None:
    """Mistake if it speaks of inputs or outputs that the model does not have."""
    for side, known in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        strange = [name for name in said.get(side, {}) if name not in known]
        if strange:
            raise Mistake(f"the card has {side} {', '.join(strange)}; the model has {', '.join(known)}")
