"""A model from outside as the source of a version."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any

import onnx

from service import tensors
from service.card import ImageInput
from service.numbers import count
from service.signature import Signature
from training.artifact import Draft
from training.card import Card, Origin
from training.encode import Rows
from training.golden import Group
from training.mistakes import Mistake
from training.prepare import digest
from training.publish import describe, own_card, pictures, report, rows, truths
from training.publish.brought import Brought
from training.publish.kinds import titled
from training.saved_model import IDS, Loaded
from training.twin.convert import of_signature
from training.warmup import Request

FEWEST = 10
"""Rows of which it can be said how they lie."""


@dataclass(frozen=True)
class Outside:
    """`said` are the members of a card that its owner gives; `file` has rows to try it on, None makes them up."""

    brought: Brought
    said: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    started: float = field(default_factory=monotonic)

    def write(self, folder: Path) -> None:
        self.brought.write(folder)

    def rows(self, run: Loaded) -> Rows:
        refuse_unservable(run.signature)
        own_card.refuse_strange(self.said, run.signature)
        found = self._pictures(run)
        return rows.read(self.file, run.signature, found) if self.file else rows.made_up(run.signature, found)

    def requests(self, groups: Sequence[Group]) -> Iterator[Request]:
        return ((IDS, group.inputs) for group in groups)

    def convert(self, run: Loaded) -> onnx.ModelProto:
        return of_signature(run.function)

    def card(self, draft: Draft) -> dict[str, Any]:
        refuse_not_finite(draft.groups)
        if not isfinite(draft.verified.batch_difference):
            raise Mistake(
                "a row alone gets an answer of another shape, or none, than among others: it cannot be batched"
            )
        answers = describe.answers(draft)
        told = truths.told(draft.rows.targets, answers)
        inputs = describe.inputs(draft, self.brought, self._pictures(draft.run), self.said.get("inputs", {}))
        outputs = describe.outputs(draft, self.brought, told, self.said.get("outputs", {}))
        many = self.file is not None and len(draft.rows) >= FEWEST
        made = Card(
            model=draft.version.model,
            number=draft.version.number,
            title=self.said.get("title", titled(draft.version.model)),
            description=self.said.get("description", ""),
            parameters=draft.run.parameters if self.brought.parameters is None else self.brought.parameters,
            inputs=inputs,
            outputs=outputs,
            provenance=self._origin(draft.rows),
            verified=draft.verified,
            distribution=describe.distribution(draft.rows, answers, inputs, outputs) if many else None,
        )
        describe.refuse_misfit(made, draft.run.signature)
        judged = truths.judged(told, outputs)
        report.write(draft.extra / "report", self.brought, outputs, judged)
        return replace(made, metrics={name: found.metrics for name, found in judged.items()}).document()

    def _pictures(self, run: Loaded) -> dict[str, ImageInput]:
        said = self.said.get("inputs", {})
        found = {
            name: pictures.meant(spec, said.get(name, {}), scaled=name in self.brought.scaled)
            for name, spec in run.signature.inputs.items()
        }
        return {name: picture for name, picture in found.items() if picture}

    def _origin(self, rows: Rows) -> Origin:
        whence = f"of {_named(self.file)}" if self.file else "made up by chance"
        return Origin(
            file=_named(self.brought.file),
            data=f"{count(len(rows), 'row')} {whence}",
            seconds=round(monotonic() - self.started, 1),
        )


def _named(file: Path) -> str:
    return f"{file.name} (SHA-256 {digest(file)[:16]})"


def refuse_unservable(signature: Signature) -> None:
    """Mistake if the service could not batch its rows, or not write its answers."""
    fixed, foreign = signature.unbatched(), signature.foreign()
    if fixed:
        advice = "leave it free (keras.Input without batch_size), for rows of several requests share a batch"
        raise Mistake(f"the first axis of {', '.join(fixed)} is fixed, or there is none; {advice}")
    if foreign:
        raise Mistake(f"{', '.join(foreign)}: JSON has no such values")


def refuse_not_finite(groups: Sequence[Group]) -> None:
    """Mistake if an answer cannot be compared with another."""
    for group in groups:
        for name in tensors.not_finite(group.outputs):
            raise Mistake(f"{name} is infinite, or no number, for some rows; leave out what the model cannot answer")
