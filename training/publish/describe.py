"""What the card says of a model's inputs and outputs, and how the rows it was tried on lie."""

from collections.abc import Mapping
from typing import Any

import jsonschema
import numpy as np

from service import card as served
from service import tensors
from service.signature import Signature
from training.artifact import Draft
from training.card import Card
from training.distribution import Specs, of_rows
from training.encode import Rows
from training.mistakes import Mistake
from training.publish import kinds
from training.publish.brought import Brought
from training.publish.kinds import Array, Members
from training.publish.rows import Pictures
from training.publish.truths import Truth

AT_ONCE = 256


def inputs(draft: Draft, brought: Brought, pictures: Pictures, said: Mapping[str, Members]) -> dict[str, Members]:
    """Of every input that a kind fits; what its owner says wins."""
    known: Mapping[str, kinds.Known] = {**brought.lookups, **pictures}
    found = {
        name: kinds.of_input(spec, draft.rows.inputs[name], known.get(name), said.get(name, {}))
        for name, spec in draft.run.signature.inputs.items()
    }
    return {name: members for name, members in found.items() if members is not None}


def outputs(
    draft: Draft, brought: Brought, told: Mapping[str, Truth], said: Mapping[str, Members]
) -> dict[str, Members]:
    """Likewise; `told` is what is true of the rows."""
    found = {
        name: kinds.of_output(
            spec,
            [group.outputs[name] for group in draft.groups],
            brought.activations.get(name),
            told.get(name),
            said.get(name, {}),
        )
        for name, spec in draft.run.signature.outputs.items()
    }
    return {name: members for name, members in found.items() if members is not None}


def distribution(rows: Rows, answers: Mapping[str, Array], inputs: Specs, outputs: Specs) -> dict[str, Any]:
    """As drift is measured: of the inputs and answers that there are features of."""
    asked = {name: spec for name, spec in inputs.items() if None not in spec.get("dims", [])[1:]}
    told = {name: spec for name, spec in outputs.items() if name in answers}
    return of_rows(asked, told, rows, answers)


def answers(draft: Draft) -> dict[str, Array]:
    """The answers to all rows, in their order, of outputs whose rows are all of one shape."""
    columns = draft.rows.inputs
    rows = [{name: column[place] for name, column in columns.items()} for place in range(len(draft.rows))]
    packed = tensors.pack(rows, AT_ONCE)  # Rows of one length together.
    parts = [draft.run(group) for _, group in packed]
    order = np.argsort(np.concatenate([places for places, _ in packed]))
    return {
        name: np.concatenate([tensors.widened(part[name]) for part in parts])[order]
        for name in parts[0]
        if len({part[name].shape[1:] for part in parts}) == 1
    }


def refuse_misfit(card: Card, signature: Signature) -> None:
    """Mistake if the card breaks its contract, or does not fit the model."""
    try:
        strange = served.disagreements(served.parse(card.document()), signature)
    except jsonschema.ValidationError as error:
        raise Mistake(f"the card is wrong at {'/'.join(map(str, error.absolute_path))}: {error.message}") from error
    except ValueError as error:
        raise Mistake(f"the card is wrong: {error}") from error
    if strange:
        raise Mistake(f"the card does not fit the model: {'; '.join(strange)}")
