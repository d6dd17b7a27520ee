"""API keys for tests: a file of entries, and the keys themselves."""

import json
from pathlib import Path
from typing import Any

from service.access import keys
from service.access.keys import Scope


def entry(secret: str, name: str, *scopes: Scope, **more: Any) -> dict[str, Any]:
    """A key as it stands in a file."""
    return {"name": name, "sha256": keys.digest(secret).hex(), "scopes": [scope.value for scope in scopes], **more}


def granted(file: Path, name: str, *scopes: Scope, **more: Any) -> str:
    """A fresh key, added to a file, which need not be there yet."""
    secret = keys.fresh()
    before = json.loads(file.read_text()) if file.exists() else []
    put(file, [*before, entry(secret, name, *scopes, **more)])
    return secret


def put(file: Path, entries: Any) -> None:
    """Have just these in a file, by one rename."""
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(entries))
    draft.replace(file)
