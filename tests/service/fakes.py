"""Fakes at the service's seams: an engine whose every row answers for itself, a driver and a clock moved by hand."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from service import fields, server, tensors
from service.batching.batcher import Batcher
from service.batching.cost import Cost
from service.batching.drivers import MakeDriver
from service.batching.future import Future
from service.batching.jobs import Answer, FindTerms, Job
from service.batching.queueing import Queue
from service.card import Card
from service.engines.base import Engine
from service.handle import ModelHandle, example
from service.schemas import Rows
from service.signature import Signature, TensorSpec
from service.tensors import ALIKE, Array, Ragged, Tensors
from service.versions.catalog import Catalog
from service.versions.policy import Policy
from service.versions.shadow import Shadow
from service.versions.store import Version

RAISES, SHORT, LONG, NAMELESS, SCALAR = 101, 102, 103, 104, 105
"""Values that poison a row: what the fake engine does to the whole batch in which it finds one."""

BLURS, HANGS = 106, 107
"""The same: a row of NaN, and that row alone; a call that does not come back before `hangs` has been called."""

FAR = 1e18
"""A deadline that never comes."""


def specs(**tensors_: tuple[str, tuple[int | None, ...]]) -> dict[str, TensorSpec]:
    """name=(dtype, shape), as a side of a Signature."""
    return {name: TensorSpec(name, np.dtype(dtype), shape) for name, (dtype, shape) in tensors_.items()}


VECTORS = Signature(specs(x=("float32", (None, None))), specs(y=("float64", (None, 1))))
"""One input of any width, one output: what most tests of the batcher need."""


def weighted(inputs: Tensors) -> dict[str, Array]:
    """y, (rows, 1): each row's elements, weighted by their places, so that no two orders give the same."""
    x = inputs["x"].astype(np.float64).reshape(len(inputs["x"]), -1)
    return {"y": (x * np.arange(1, x.shape[1] + 1)).sum(axis=1, keepdims=True)}


RAGGED = {"x": "x/length"}
"""What the fake engine takes for ragged, where `weighted_steps` is its function."""


def weighted_steps(inputs: Tensors) -> dict[str, Array]:
    """The same of rows (n, t), each as long as `x/length` says; whole without it."""
    x = inputs["x"]
    lengths = inputs.get("x/length", np.full(len(x), x.shape[1]))
    return {
        "y": np.concatenate(
            [weighted({"x": row[np.newaxis, :length]})["y"] for row, length in zip(x, lengths, strict=True)]
        )
    }


def blurred(inputs: Array, outputs: Array) -> Array:
    """The outputs, NaN in every row whose inputs have BLURS."""
    rows = (inputs == BLURS).any(axis=tuple(range(1, inputs.ndim)))
    return np.where(rows.reshape(-1, *[1] * (outputs.ndim - 1)), np.nan, outputs)


class FakeEngine(Engine):
    """Applies `function` to each row alone, remembers every call, and stumbles over poisoned rows."""

    name = "fake"
    device = "thin air"

    def __init__(
        self,
        signature: Signature = VECTORS,
        function: Callable[[Tensors], Mapping[str, Array]] = weighted,
        immune: bool = False,
        ragged: Ragged = ALIKE,
    ) -> None:
        self.signature = signature
        self.ragged = ragged
        self.calls: list[Tensors] = []
        self.closed = False
        self.settled = 0
        """Calls until it was to let go of what they took."""
        self.immune = immune
        self.hangs: Callable[[], object] = lambda: None
        self._function = function

    def run(self, inputs: Tensors) -> dict[str, Array]:
        self.calls.append(inputs)
        first = next(iter(inputs.values()))
        values = set() if self.immune or first.dtype.kind == "O" else set(first.ravel().tolist())
        if RAISES in values:
            raise RuntimeError("poisoned row\nand a second line with the secrets of /srv/models")
        if HANGS in values:
            self.hangs()
        outputs = dict(self._function(inputs))
        if BLURS in values:
            outputs = {name: blurred(first, array) for name, array in outputs.items()}
        if SHORT in values:
            outputs = {name: array[:-1] for name, array in outputs.items()}
        elif LONG in values:
            outputs = {name: np.concatenate([array, array[:1]]) for name, array in outputs.items()}
        elif NAMELESS in values:
            outputs.pop(next(iter(outputs)))
        elif SCALAR in values:
            outputs = {name: array.sum() for name, array in outputs.items()}
        return outputs

    def settle(self) -> None:
        self.settled = len(self.calls)

    def close(self) -> None:
        self.closed = True

    def seen(self) -> list[Any]:
        """Every row of every call, one after another, of the first input."""
        return [row for call in self.calls for row in next(iter(call.values())).tolist()]


class Clock:
    """Seconds that pass when the test says."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class PricedEngine(FakeEngine):
    """Takes what `cost` says of its first input's shape, by a clock of its own."""

    def __init__(self, cost: Cost, function: Callable[[Tensors], Mapping[str, Array]] = weighted) -> None:
        super().__init__(function=function, immune=True)
        self.cost = cost
        self.clock = Clock()

    def run(self, inputs: Tensors) -> dict[str, Array]:
        self.clock.now += self.cost.seconds(*next(iter(inputs.values())).shape)
        return super().run(inputs)

    def batches(self) -> list[tuple[int, ...]]:
        """Rows and elements of every call."""
        return [next(iter(call.values())).shape for call in self.calls]


class ManualDriver:
    """Steps when the test says; counts how often it was woken."""

    def __init__(self, step: Callable[[], bool]) -> None:
        self.step = step
        self.wakes = 0

    def wake(self) -> None:
        self.wakes += 1

    def close(self) -> None:
        while self.step():
            pass


class AtOnce(ManualDriver):
    """Answers whatever comes before `submit` returns."""

    def wake(self) -> None:
        self.close()


class Hand:
    """Makes manual drivers and moves them all; its `wait` answers everything first, unless the engines are held."""

    def __init__(self) -> None:
        self.drivers: list[ManualDriver] = []
        self.held = False

    def __call__(self, step: Callable[[], bool]) -> ManualDriver:
        self.drivers.append(ManualDriver(step))
        return self.drivers[-1]

    def turn(self) -> None:
        """Answer everything that waits."""
        for driver in self.drivers:
            driver.close()

    def wait(self, future: "Future[Answer]", seconds: float) -> Answer:
        """The service's own `wait`, after the work is done, or, held, as if the engine were busy for ever."""
        if not self.held:
            self.turn()
        return server.wait(future, seconds)


def job(x: Any, dtype: str = "float32", arrived: float = 0.0, deadline: float = FAR, ragged: Ragged = ALIKE) -> Job:
    """A job of rows of one input, `x`."""
    inputs = {"x": np.array(x, dtype)}
    return Job(inputs, tensors.kind(inputs, ragged), tensors.rows(inputs), arrived, deadline)


def handle(
    engine: Engine,
    hand: MakeDriver,
    *,
    name: str = "fake",
    version: int = 1,
    card: Card | None = None,
    max_batch_rows: int = 8,
    max_queue_rows: int = 32,
    terms: FindTerms | None = None,
    shadow: Shadow | None = None,
) -> ModelHandle:
    """A served version around an engine, driven by hand; its card may describe anything but words."""
    card = card or Card()
    return ModelHandle(
        model=name,
        version=version,
        card=card,
        engine=engine,
        batcher=Batcher(engine, Queue(max_batch_rows, max_queue_rows, terms), hand),
        rows=Rows(fields.build(engine.signature, card.inputs, {}.__getitem__), example(card, engine.signature)),
        max_batch_rows=max_batch_rows,
        max_queue_rows=max_queue_rows,
        shadow=shadow or Shadow(),
    )


def catalog(handles: Sequence[ModelHandle], policies: Mapping[str, Policy] | None = None) -> Catalog:
    """A loaded catalog of ready-made handles, which are given newest first."""
    made = {(handle.model, handle.version): handle for handle in handles}
    versions = [Version(name, number, Path()) for name, number in made]
    ready = Catalog(versions, lambda version: made[version.model, version.number], policies, grace=0)
    ready.load_all()
    return ready
