"""Drift in a real server: two workers, any of which knows what both have seen, and what one saw that died."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.service import artifacts
from tests.service.server import Server, patiently, running

SAD = {"feature": "label", "labels": ["calm", "happy", "sad"], "counts": [300, 300, 300, 0]}
WORDS = {"feature": "words", "edges": [1, 1, 3, 6, 9], "counts": [0, 200, 300, 300, 100, 0, 0]}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy, whose card says how its training rows lay."""
    root = tmp_path_factory.mktemp("store")
    file = artifacts.toy(root) / "assets.extra" / "card.json"
    card = json.loads(file.read_text())
    file.write_text(json.dumps(card | {"distribution": {"inputs": {"text": [WORDS]}, "outputs": {"mood": [SAD]}}}))
    return root


def ask(server: Server, words: int, **headers: str) -> None:
    """A request of 60 rows of that many words."""
    random = np.random.default_rng(words)
    rows = [{"text": "cat " * words, "numbers": random.normal(size=3).tolist()} for _ in range(60)]
    assert server.post("/predict/toy", rows, headers=headers).status_code == 200


def seen(server: Server) -> tuple[str, float, int]:
    """What whichever worker is asked says of the words: verdict, the share of texts of one word, rows."""
    [words] = server.get("/models/toy/drift").json()["inputs"]["text"]
    return words["verdict"], words["recent"][1], words["rows"]


def test_every_worker_knows_what_all_have_seen(store: Path, tmp_path: Path):
    with running(store, tmp_path / "log", workers=2, drift=1000, engine="onnx") as server:
        assert seen(server) == ("too few rows", 0, 0)
        for _ in patiently():
            ask(server, 9, **{"X-Drift": "off"})
            ask(server, 1)
            if seen(server)[0] == "shifted":
                break
        for _ in range(20):  # each on a connection of its own: both workers have seen some
            ask(server, 1)
        stands = agreed(server)
        assert stands[:2] == ("shifted", 1)
        metric = 'manifold_drift_rows{feature="words",model="toy",name="text",side="input",version="1"}'
        for _ in patiently():
            stands, text = agreed(server), server.get("/metrics").text
            if f"{metric} {float(stands[2])}" in text:
                break
        assert f"{metric} {float(stands[2])}" in text
        assert 'manifold_drift_psi{feature="words"' in text
        died = server.workers()[0]
        os.kill(died, signal.SIGKILL)
        server.wait_for_log("toy/1 is served by", times=3)  # by its successor, which counts on from there
        after = agreed(server)
        assert after[:2] == stands[:2]
        assert after[2] >= stands[2], "what the one had seen that died has gone with it"


def agreed(server: Server) -> tuple[str, float, int]:
    """What all workers say once they agree: what was asked is counted a while later."""
    said = set()
    for _ in patiently():
        said = {seen(server) for _ in range(20)}
        if len(said) == 1:
            return said.pop()
    raise AssertionError(said)


def test_nobody_looks_where_nobody_wants_it(store: Path, tmp_path: Path):
    with running(store, tmp_path / "log", workers=1, drift=0, engine="onnx") as server:
        ask(server, 1)
        assert server.get("/models/toy/drift").json()["reason"] == "MANIFOLD_DRIFT is 0"
        assert "manifold_drift_psi{" not in server.get("/metrics").text
