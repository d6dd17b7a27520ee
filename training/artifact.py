"""A model becomes a version of the store: SavedModel, golden rows, warm-up, twin, card, published at once.

source ─ write ─▶ reload ─ ask golden rows ─▶ compare twin, batches ─▶ card, manifest ─ rename ─▶ store/<model>/<n>

A source is what was trained here (export.py) or what somebody brings (publish/).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import onnx

from service.versions import manifest
from training import golden, saved_model, warmup
from training.card import Verified
from training.encode import Rows
from training.golden import Group
from training.saved_model import Loaded
from training.twin.make import make
from training.versions import Version, publishing
from training.warmup import Request

WARMUP_GROUPS = 4


@dataclass(frozen=True)
class Draft:
    """A version that lacks nothing but its card; `extra` is where that, and what belongs to it, will lie."""

    version: Version
    extra: Path
    run: Loaded
    rows: Rows
    groups: Sequence[Group]
    verified: Verified


class Source(Protocol):
    """What a version is made from. A Mistake of any of these ends it, and nothing is published."""

    def write(self, folder: Path) -> None:
        """The SavedModel, and its assets."""

    def rows(self, run: Loaded) -> Rows:
        """Those of which some become the golden rows."""

    def requests(self, groups: Sequence[Group]) -> Iterable[Request]:
        """The same rows as a client would send them."""

    def convert(self, run: Loaded) -> onnx.ModelProto:
        """The twin, as yet unproven; whatever it raises is the reason why there is none."""

    def card(self, draft: Draft) -> Mapping[str, Any]:
        """The card, which keeps to its schema; a report may be written beside it."""


def publish(source: Source, version: Version) -> Path:
    """Publish the version and return its folder; Mistake if it exists, and nothing visible if anything fails."""
    with publishing(version) as folder:
        extra = folder / "assets.extra"
        source.write(folder)
        extra.mkdir()
        run = saved_model.load(folder)
        rows = source.rows(run)
        groups = golden.answer(rows, run)
        golden.save(groups, extra / "golden.npz")
        requests = source.requests(groups[:WARMUP_GROUPS])
        warmup.write(extra / "tf_serving_warmup_requests", version.model, requests)
        verified = Verified(
            rows=sum(len(group.places) for group in groups),
            twin=make(partial(source.convert, run), groups, extra / "model.onnx"),
            batch_difference=golden.batch_difference(groups, run),
        )
        card = source.card(Draft(version, extra, run, rows, groups, verified))
        (extra / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", "utf-8")
        manifest.write(folder, version.model, version.number)
    return version.folder
