"""What is connected to what in a model: its layers in words, and an arrow for each tensor.

    model ─ graph ─▶ Graph(boxes, arrows) ─ fold ─▶ the same with fewer boxes

A shared layer stands once and has an arrow for every call; a model used as a layer is one layer.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras

CHAIN = 8  # Layers of a model that is listed in its box.
BOXES = 24  # More boxes than these, and layers that merely follow one another share one.


@dataclass(frozen=True)
class Layer:
    """One layer, operation or model in words. `name` is empty where Keras made it up, `calls` how often it is called.

    `role` is "input", "layer", "model" or "operation": a bare function, such as keras.ops.add. `output` names what it
    answers, if that is an output of the whole. `within` has the layers of a small model that merely follow one another.
    """

    name: str
    kind: str
    shape: str
    role: str
    calls: int = 1
    output: str = ""
    within: tuple["Layer", ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it may share a box with its neighbours."""
        return self.calls == 1 and not self.output and self.role in ("layer", "operation")


@dataclass(frozen=True)
class Arrow:
    """One tensor, by the places of two boxes; and which of their calls makes and takes it, counted from 1."""

    source: int
    target: int
    made: int = 1
    taken: int = 1


@dataclass(frozen=True)
class Graph:
    """Boxes of one layer, or of several that follow one another, in the order of their first calls; and arrows."""

    boxes: tuple[tuple[Layer, ...], ...]
    arrows: tuple[Arrow, ...]


Call = tuple[int, int]
"""The id of an operation, and the index of that call among all calls of it, other models' too."""


def graph(model: keras.Model) -> Graph:
    """Every layer once, and every tensor that a call takes. ValueError for a model that is no graph of layers."""
    if not getattr(model, "outputs", None):
        raise ValueError(f"{model.name} has no graph: it is neither functional nor a Sequential that knows its input")
    calls = _calls(model.outputs)
    operations = {id(operation): operation for operation, _ in calls.values()}
    places = {key: place for place, key in enumerate(operations)}
    numbers: dict[Call, int] = {}
    shapes: dict[int, list[str]] = {key: [] for key in operations}
    for call, (_, node) in calls.items():
        shapes[call[0]] += [shape(tensor.shape) for tensor in node.output_tensors]
        numbers[call] = 1 + sum(other[0] == call[0] for other in numbers)
    outputs: dict[int, list[str]] = {}
    # A Sequential has no names for its outputs.
    names = getattr(model, "output_names", [tensor._keras_history.operation.name for tensor in model.outputs])  # noqa: SLF001
    for name, tensor in zip(names, model.outputs, strict=True):
        outputs.setdefault(_call(tensor)[0], []).append(name)
    times = Counter(key for key, _ in calls)
    boxes = tuple(
        (_layer(operation, " ".join(dict.fromkeys(shapes[key])), times[key], ", ".join(outputs.get(key, []))),)
        for key, operation in operations.items()
    )
    arrows = tuple(
        Arrow(places[_call(tensor)[0]], places[call[0]], numbers[_call(tensor)], numbers[call])
        for call, (_, node) in calls.items()
        for tensor in node.input_tensors
    )
    return Graph(boxes, arrows)


def fold(whole: Graph, most: int = BOXES) -> Graph:
    """Operations that merely follow one another share a box; all plain layers, if there were more boxes than `most`."""
    folded = _fold(whole, {"operation"})
    return _fold(whole, {"operation", "layer"}) if len(folded.boxes) > most else folded


def listed(whole: Graph) -> list[dict[str, Any]]:
    """The layers of a graph that is not folded, in words: `takes` names those whose tensors one takes, in order.

    One without a name of its own has that of its kind, and a number where there are several.
    """
    kinds = [layer.name or layer.kind for (layer,) in whole.boxes]
    names = [
        f"{kind} {kinds[: place + 1].count(kind)}" if kinds.count(kind) > 1 else kind
        for place, kind in enumerate(kinds)
    ]
    return [
        {
            "name": name,
            "kind": layer.kind,
            "shape": layer.shape,
            "takes": [names[arrow.source] for arrow in whole.arrows if arrow.target == place],
        }
        for place, (name, (layer,)) in enumerate(zip(names, whole.boxes, strict=True))
    ]


def shape(dims: Sequence[int | None]) -> str:
    """As the drawings in models/ have it: n rows, and a dot for an open length."""
    return f"({', '.join(['n', *('·' if size is None else str(size) for size in dims[1:])])}{',' * (len(dims) < 2)})"


def _calls(outputs: Sequence[Any]) -> dict[Call, tuple[Any, Any]]:
    """Every call that the outputs are computed by, with its operation and node; each stands after those it needs."""
    done: dict[Call, tuple[Any, Any]] = {}
    ahead = [(tensor, False) for tensor in reversed(outputs)]
    while ahead:
        tensor, ready = ahead.pop()
        call = _call(tensor)
        operation = tensor._keras_history.operation  # noqa: SLF001  Keras has no public way from a tensor to its call
        node = operation._inbound_nodes[call[1]]  # noqa: SLF001
        if ready:
            done.setdefault(call, (operation, node))
        elif call not in done:
            ahead += [(tensor, True), *((needed, False) for needed in reversed(node.input_tensors))]
    return done


def _call(tensor: Any) -> Call:
    history = tensor._keras_history  # noqa: SLF001
    return id(history.operation), history.node_index


def _layer(operation: Any, dims: str, calls: int, output: str) -> Layer:
    kind = type(operation).__name__
    made_up = re.fullmatch(rf"{re.escape(_snake(kind))}(_\d+)?", operation.name)
    name = "" if made_up else operation.name
    if isinstance(operation, keras.layers.InputLayer):
        return Layer(operation.name, "Input", dims, "input", calls, output)
    if isinstance(operation, keras.Model):
        kind = f"model of {len(operation.layers)} layers, {operation.count_params():,} parameters"
        return Layer(operation.name, kind, dims, "model", calls, output, _chain(operation))
    if not isinstance(operation, keras.Layer):
        return Layer("", _snake(kind).replace("_", " "), dims, "operation", calls, output)
    return Layer(name, " ".join([kind, *_details(operation)]), dims, "layer", calls, output)


def _chain(model: keras.Model) -> tuple[Layer, ...]:
    """The layers after the input, or nothing if they are many or branch."""
    whole = graph(model)
    straight = tuple(Arrow(place, place + 1) for place in range(len(whole.boxes) - 1))
    return sum(whole.boxes[1:], ()) if whole.arrows == straight and len(straight) <= CHAIN else ()


def _details(layer: Any) -> list[str]:
    """What the shape does not tell: the layer within, the size of a window and its stride, the activation."""
    within = getattr(layer, "forward_layer", getattr(layer, "layer", None))
    words = [type(within).__name__] if within else []
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if window:
        words.append("×".join(map(str, window)))
        steps = dict.fromkeys(layer.strides) if len(set(layer.strides)) == 1 else layer.strides
        words += [f"/ {'×'.join(map(str, steps))}"] if layer.strides not in (window, (1,) * len(window)) else []
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    recurrent = isinstance(layer, keras.layers.RNN)
    return words if activation == "linear" or recurrent or type(layer).__name__ == "ReLU" else [*words, activation]


def _snake(kind: str) -> str:
    """As Keras makes names of classes: "conv2d", "max_pooling1d", "not_equal"."""
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()


def _fold(whole: Graph, roles: set[str]) -> Graph:
    """Join two boxes where the one arrow out of the first is the one arrow into the second."""
    given = Counter(arrow.source for arrow in whole.arrows)
    taken = Counter(arrow.target for arrow in whole.arrows)
    home = list(range(len(whole.boxes)))
    within: list[list[Layer]] = [list(box) for box in whole.boxes]
    single = [all(layer.plain and layer.role in roles for layer in box) for box in whole.boxes]
    inner = set()
    for arrow in sorted(whole.arrows, key=lambda arrow: arrow.target):
        one = given[arrow.source] == taken[arrow.target] == 1
        if one and single[arrow.source] and single[arrow.target]:
            home[arrow.target] = home[arrow.source]
            within[home[arrow.source]] += whole.boxes[arrow.target]
            inner.add(arrow)
    kept = sorted(set(home))
    place = {old: new for new, old in enumerate(kept)}
    arrows = [
        replace(arrow, source=place[home[arrow.source]], target=place[home[arrow.target]])
        for arrow in whole.arrows
        if arrow not in inner
    ]
    return Graph(tuple(tuple(within[old]) for old in kept), tuple(arrows))
