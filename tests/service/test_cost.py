"""How many rows are worth computing at once, from what they cost."""

import numpy as np
import pytest

from service import cost
from tests.service.fakes import FakeEngine


@pytest.mark.parametrize(
    ("seconds", "most", "rows"),
    [
        pytest.param(lambda rows: 0.010, 64, 64, id="free company"),
        pytest.param(lambda rows: 0.010, 48, 48, id="no power of two"),
        pytest.param(lambda rows: 0.010, 1, 1, id="one at most"),
        pytest.param(lambda rows: 0.010 * rows, 64, 1, id="nothing shared"),
        pytest.param(lambda rows: 0.00005 * rows, 64, 64, id="nothing shared but quick"),
        pytest.param(lambda rows: 0.001 * rows, 64, 4, id="nothing shared and quick for a while"),
        pytest.param(lambda rows: 0.010 if rows <= 8 else 0.010 * rows, 64, 8, id="company until eight"),
    ],
)
def test_a_batch_grows_while_it_pays(seconds, most, rows):
    assert cost.grow(seconds, most) == (rows, seconds(rows))


def test_a_batch_repeats_one_row():
    engine = FakeEngine()
    assert cost.seconds(engine, {"x": np.array([[1.0, 2.0]])}, 3) > 0
    assert all(call["x"].tolist() == [[1.0, 2.0]] * 3 for call in engine.calls)
    assert len(engine.calls) > cost.TRIES
