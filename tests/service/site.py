"""A whole service without a server: toy models from disk and fake ones, behind Flask's test client, moved by hand."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from werkzeug.test import TestResponse

from service import loading
from service.app import create_app
from service.handle import ModelHandle
from service.settings import Settings
from service.signature import Signature
from service.tensors import Array, Tensors
from service.versions.policy import Policy
from service.versions.store import Version
from tests.service import fakes
from tests.service.artifacts import VOCABULARY

MAX_QUEUE_ROWS = 32
MAX_BODY_BYTES = 100_000

EVERY_ROW: dict[str, Any] = {
    "flag": [True],
    "byte": [1],
    "count": [1],
    "half": [1],
    "image": [[1, 2], [3, 4]],
    "name": "n",
}
"""A row that EVERY_DTYPE takes."""
EVERY_DTYPE = Signature(
    fakes.specs(
        flag=("bool", (None, 1)),
        byte=("int8", (None, 1)),
        count=("uint64", (None, 1)),
        half=("float16", (None, 1)),
        image=("float32", (None, 2, 2)),
        name=("object", (None,)),
    ),
    fakes.specs(
        flag=("bool", (None, 1)),
        count=("uint64", (None, 1)),
        half=("float16", (None, 1)),
        image=("float32", (None, 2, 2)),
        name=("object", (None,)),
    ),
)


def echo(inputs: Tensors) -> dict[str, Array]:
    """Every output is the input of its name; strings come back as TensorFlow gives them, in bytes."""
    names = np.array([str(name).encode() for name in inputs["name"]], object)
    return {**{name: inputs[name] for name in ("flag", "count", "half", "image")}, "name": names}


class Site:
    """Models toy (versions 3 and 2, which is stable), fake (x to y, weighted by place) and every (all dtypes).

    And the clients that ask them.
    """

    def __init__(self, toy_folder: Path, more: Sequence[ModelHandle] = ()) -> None:
        logging.getLogger("manifold.catalog").setLevel(logging.CRITICAL)
        self.hand = fakes.Hand()
        self.settings = Settings(
            engine="onnx", max_batch_rows=8, max_queue_rows=MAX_QUEUE_ROWS, max_body_bytes=MAX_BODY_BYTES
        )
        toys = [
            loading.load(Version("toy", number, toy_folder), self.settings, lambda _: self.hand) for number in (3, 2)
        ]
        self.engine = fakes.FakeEngine()
        self.fake = fakes.handle(self.engine, self.hand, max_queue_rows=MAX_QUEUE_ROWS)
        every = fakes.handle(fakes.FakeEngine(EVERY_DTYPE, echo), self.hand, name="every")
        self.toy = toys[0]
        self.catalog = fakes.catalog([*toys, self.fake, every, *more], {"toy": Policy(labels={"stable": 2, "gone": 1})})
        self.app = create_app(self.settings, self.catalog, self.hand.wait)
        self.client = self.app.test_client()

    def predict(self, model: str, body: Any, query: str = "", **headers: str) -> TestResponse:
        """POST /predict/<model>, natively; underscores in header names stand for hyphens."""
        return self.client.post(f"/predict/{model}{query}", json=body, headers=dashed(headers))

    def tfs(self, model: str, body: Any, **headers: str) -> TestResponse:
        """POST /v1/models/<model>:predict."""
        return self.client.post(f"/v1/models/{model}:predict", json=body, headers=dashed(headers))

    def answer(self, text: str, numbers: Sequence[float]) -> dict[str, Any]:
        """What the toy says of one row, asked directly: score, mood and sure as arrays without the batch axis."""
        ids = [VOCABULARY.index(word) if word in VOCABULARY else 1 for word in text.split()]
        outputs = self.toy.engine.run({"text": np.array([ids], np.int32), "numbers": np.array([numbers], np.float32)})
        return {name: array[0] for name, array in outputs.items()}

    def refuse(self, model: str = "fake", why: str = "OSError: no such file") -> None:
        """As if version 1 of the model had not been loadable."""
        self.catalog.swap(model, [], refused={Version(model, 1, Path()): why})

    def queue(self, *xs: Any) -> list[fakes.Job]:
        """Jobs of the fake model that wait until the engines turn."""
        jobs = [fakes.job(x) for x in xs]
        self.fake.batcher.submit(jobs)
        return jobs


def dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
