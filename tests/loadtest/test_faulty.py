"""The model that fails when a row says so."""

import json

import jsonschema
import numpy as np
import pytest

from loadtest.chaos import faulty
from service import golden
from service.engines.onnx import OnnxEngine
from tests.service.server import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return faulty.write(tmp_path_factory.mktemp("store") / "faulty" / "1")


@pytest.fixture(scope="module")
def engine(folder):
    return OnnxEngine(folder)


def ask(engine, *faults):
    x = np.arange(len(faults), dtype=np.float32)[:, np.newaxis]
    return engine.run({"x": x, "fault": np.array(faults)[:, np.newaxis]})["y"]


def test_it_is_a_version_with_a_card_that_answers_its_golden_rows(folder, engine):
    assert golden.check(engine, golden.read(folder)) == 0
    schema = json.loads((ROOT / "service/card.schema.json").read_text())
    jsonschema.validate(json.loads((folder / "assets.extra/card.json").read_text()), schema)


def test_without_a_fault_everybody_knows_its_answer(engine):
    np.testing.assert_array_equal(ask(engine, faulty.FINE, faulty.SPIN), faulty.answer([[0], [1]]))


def test_it_raises_blurs_and_shortens_on_demand(engine):
    with pytest.raises(Exception, match="indices element out of data bounds"):
        ask(engine, faulty.FINE, faulty.RAISE)
    assert np.isnan(ask(engine, faulty.FINE, faulty.NAN)).tolist() == [[False], [True]]
    assert ask(engine, faulty.FINE, faulty.SHORT).tolist() == [[1.0]]
