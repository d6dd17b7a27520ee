"""Versions made of another: a twin that answers a known part of what it answered, or that is broken in a known way."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from loadtest.bench.contenders import link
from service.engines.onnx import REDUCED, TWIN
from service.golden import GOLDEN
from service.versions import manifest

SCALE = 0.75
OUTPUTS = "/outputs/"
"""In the names of golden arrays that are answers."""


def scaled(source: Path, target: Path, *, golden: bool = True) -> None:
    """A version whose outputs are SCALE times the source's; its golden rows say so, unless left."""
    with Making(source, target) as folder:
        model = onnx.load(folder / TWIN)
        factor = numpy_helper.from_array(np.float32(SCALE), "chaos_scale")
        model.graph.initializer.append(factor)
        for output in model.graph.output:
            rename(model.graph, output.name, f"{output.name}_whole")
            model.graph.node.append(helper.make_node("Mul", [f"{output.name}_whole", factor.name], [output.name]))
        replace(folder / TWIN, model.SerializeToString())
        (folder / REDUCED).unlink(missing_ok=True)
        if golden:
            replace(folder / GOLDEN, rescaled((folder / GOLDEN).read_bytes()))


def rename(graph: onnx.GraphProto, name: str, other: str) -> None:
    """A tensor, wherever it is made and read."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [other if one == name else one for one in names]


def rescaled(golden: bytes) -> bytes:
    """Golden rows with SCALE times the outputs."""
    with np.load(io.BytesIO(golden)) as archive, io.BytesIO() as file:
        outputs = {key: archive[key] * np.float32(SCALE) for key in archive.files if OUTPUTS in key}
        inputs = {key: archive[key] for key in archive.files if OUTPUTS not in key}
        np.savez(file, **inputs, **outputs)
        return file.getvalue()


def garbage(source: Path, target: Path) -> None:
    """A version whose twin is no model."""
    with Making(source, target) as folder:
        replace(folder / TWIN, b"no model" * 100)


def half(source: Path, target: Path) -> None:
    """A version of whose twin only the first half has been copied."""
    with Making(source, target) as folder:
        whole = (folder / TWIN).read_bytes()
        replace(folder / TWIN, whole[: len(whole) // 2])


def wrong(source: Path, target: Path) -> None:
    """A version that does not give its golden answers."""
    scaled(source, target, golden=False)


BROKEN: dict[str, Callable[[Path, Path], None]] = {"garbage": garbage, "half copied": half, "wrong answers": wrong}


class Making:
    """A copy of a version under a hidden name, which takes its own at the end, in one rename."""

    def __init__(self, source: Path, target: Path) -> None:
        self._target = target
        self._hidden = target.with_name(f".{target.name}.new")
        shutil.rmtree(self._hidden, ignore_errors=True)
        link(source, self._hidden)
        (self._hidden / manifest.NAME).unlink(missing_ok=True)  # what is wrong is to be found without it

    def __enter__(self) -> Path:
        return self._hidden

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._hidden.rename(self._target)


def replace(file: Path, data: bytes) -> None:
    """Write a file anew; what it was linked with stays."""
    file.unlink()
    file.write_bytes(data)
