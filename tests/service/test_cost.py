"""What a batch costs: fitted to few measurements, right between them, and how many rows that allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.batching import cost
from service.batching.cost import Cost, Trial
from tests.service.fakes import FakeEngine, PricedEngine, weighted

ELEMENTS = {"call": 1e-3, "element": 1e-5, "row": 1e-3, "row_element": 1e-5}
COSTS = st.builds(
    Cost, **{name: st.just(0.0) | st.floats(most / 100, most, allow_nan=False) for name, most in ELEMENTS.items()}
).filter(lambda true: true.seconds(1, 1) > 0)
ROWS, SIZES, MOST = st.integers(1, 64), st.integers(1, 5000), 64


def trials(true: Cost, rows: tuple[int, ...] = (1, 4, 16, 64), sizes: tuple[int, ...] = (7, 30, 72)) -> list[Trial]:
    return [Trial(count, size, true.seconds(count, size)) for count in rows for size in sizes]


def samples(*sizes: int) -> dict[int, dict[str, np.ndarray]]:
    return {size: {"x": np.zeros((1, size), np.float32)} for size in sizes}


class TestFit:
    @given(COSTS, ROWS, st.integers(7, 72))
    def test_finds_the_cost_that_made_the_trials(self, true, rows, size):
        assert cost.fit(trials(true)).seconds(rows, size) == pytest.approx(true.seconds(rows, size), rel=1e-3)

    @given(COSTS, st.integers(1, 200))
    def test_of_trials_of_one_size_finds_the_cost_of_that_size(self, true, rows):
        found = cost.fit(trials(true, sizes=(30,)))
        assert found.seconds(rows, 30) == pytest.approx(true.seconds(rows, 30), rel=1e-3)

    @given(COSTS, ROWS)
    def test_of_one_trial_finds_a_cost_for_all(self, true, rows):
        found = cost.fit(trials(true, rows=(1,), sizes=(30,)))
        assert found.seconds(1, 30) == pytest.approx(true.seconds(1, 30), rel=1e-3)
        assert found.seconds(rows, 30) >= found.seconds(1, 30) * 0.999

    @given(COSTS, st.lists(st.floats(1.0, 1.2), min_size=12, max_size=12))
    def test_is_no_further_off_than_the_noise(self, true, noise):
        noisy = [Trial(one.rows, one.size, one.seconds * by) for one, by in zip(trials(true), noise, strict=True)]
        found = cost.fit(noisy)
        off = [found.seconds(one.rows, one.size) / one.seconds - 1 for one in noisy]
        assert sum(x * x for x in off) <= sum((1 / by - 1) ** 2 for by in noise) + 1e-6

    @given(COSTS, st.integers(0, 11), st.floats(2, 1000))
    def test_one_disturbed_trial_of_twelve_does_not_double_a_prediction(self, true, which, by):
        disturbed = trials(true)
        disturbed[which] = disturbed[which]._replace(seconds=disturbed[which].seconds * by)
        found = cost.fit(disturbed)
        others = [one for number, one in enumerate(disturbed) if number != which]
        assert all(0.4 < found.seconds(one.rows, one.size) / one.seconds < 2 for one in others)

    @given(
        st.lists(st.builds(Trial, ROWS, SIZES, st.floats(1e-6, 1)), min_size=1, max_size=12), ROWS, ROWS, SIZES, SIZES
    )
    def test_never_falls_as_rows_or_elements_grow_whatever_was_measured(self, any_trials, rows, more, size, longer):
        found = cost.fit(any_trials)
        assert 0 <= found.seconds(rows, size) <= found.seconds(rows + more, size + longer)


class TestLimit:
    @given(COSTS, SIZES, st.integers(1, 200), st.floats(1e-4, 1))
    def test_with_a_target_is_the_most_rows_that_keep_it_and_at_least_one(self, true, size, most, target):
        rows = cost.limit(true, size, most, target)
        assert 1 <= rows <= most
        assert rows == 1 or true.seconds(rows, size) <= target
        assert rows == most or true.seconds(rows + 1, size) > target

    @given(COSTS, SIZES, SIZES, st.floats(1e-4, 1))
    def test_with_a_target_never_grows_with_the_size(self, true, size, longer, target):
        assert cost.limit(true, size + longer, MOST, target) <= cost.limit(true, size, MOST, target)

    def test_without_a_target_is_as_many_as_pay(self):
        assert cost.limit(Cost(call=0.001, row_element=1e-5), 10, MOST, 0) == MOST
        assert cost.limit(Cost(row=0.003), 10, MOST, 0) == 1

    def test_a_batch_that_is_not_cheap_has_no_more_rows_than_were_tried(self):
        """A disturbed trial may make larger batches look cheaper than they are."""
        assert cost.limit(Cost(call=0.004, row=0.001), 10, MOST, 0, tried=16) == 16
        assert cost.limit(Cost(call=0.001, row=0.00001), 10, MOST, 0, tried=16) == MOST

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
    def test_a_batch_grows_while_it_pays(self, seconds, most, rows):
        assert cost.grow(seconds, most) == rows


class TestMeasure:
    @given(COSTS, st.integers(1, 100))
    def test_tells_what_the_engine_takes(self, true, most):
        engine = PricedEngine(true)
        found = cost.measure(engine, samples(7, 30, 72), most, engine.clock)
        assert found
        assert all(one.seconds == pytest.approx(true.seconds(one.rows, one.size)) for one in found)
        assert max(rows for rows, _ in engine.batches()) <= most

    @given(COSTS, st.integers(1, 100), st.floats(0.001, 0.1))
    def test_keeps_its_budget_beside_the_trials_of_the_largest_row(self, true, most, budget):
        engine = PricedEngine(true)
        cost.measure(engine, samples(72, 30, 7), most, engine.clock, budget)
        always = 2 * sum(true.seconds(rows, 72) for rows in cost.multiplied(most))
        always += true.seconds(1, 30) + true.seconds(1, 7)
        assert engine.clock.now <= (budget + always) * (1 + 1e-9)

    def test_tries_every_size_and_up_to_most_rows_of_a_quick_model(self):
        engine = PricedEngine(Cost(call=1e-6))
        found = cost.measure(engine, samples(7, 30), 64, engine.clock)
        assert [(one.rows, one.size) for one in found] == [(rows, size) for size in (7, 30) for rows in (1, 4, 16, 64)]

    def test_asks_an_expensive_model_for_few_batches_if_larger_ones_do_not_pay(self):
        engine = PricedEngine(Cost(row=1.0))
        found = cost.measure(engine, samples(30, 7), 64, engine.clock)
        assert found == [Trial(1, 30, 1.0), Trial(4, 30, 4.0), Trial(1, 7, 1.0)]
        assert engine.batches() == [(1, 30), (1, 30), (1, 7), (4, 30), (4, 30)]

    def test_asks_an_expensive_model_for_larger_batches_while_they_pay(self):
        engine = PricedEngine(Cost(call=0.1, row=0.01))
        cost.measure(engine, samples(30, 7), 64, engine.clock)
        assert engine.batches() == [(1, 30), (1, 30), (1, 7), (4, 30), (4, 30), (16, 30), (64, 30)]

    @given(COSTS, st.sampled_from([1, 1000]))
    def test_tells_enough_of_any_model_to_know_what_more_rows_cost(self, true, times_as_slow):
        slow = Cost(*(times_as_slow * part for part in vars(true).values()))
        engine = PricedEngine(slow)
        found = cost.fit(cost.measure(engine, samples(30, 7), 64, engine.clock))
        assert found.seconds(64, 30) == pytest.approx(slow.seconds(64, 30), rel=0.1)
        assert found.seconds(1, 7) == pytest.approx(slow.seconds(1, 7), rel=0.1)

    def test_goes_no_further_than_a_batch_that_is_not_cheap(self):
        """The memory of a large batch is not taken where none is likely to be asked for."""
        engine = PricedEngine(Cost(row=0.002))
        found = cost.measure(engine, samples(7), 64, engine.clock, budget=100)
        assert [one.rows for one in found] == [1, 4]

    @pytest.mark.parametrize("undisturbed", range(1 + cost.TRIES))
    def test_the_best_of_a_few_tries_counts(self, undisturbed):
        """A disturbance may last as long as all first tries, or come later."""

        def disturbed(inputs):
            engine.clock.now += 0.0 if engine.batches().count(inputs["x"].shape) == undisturbed + 1 else 0.001
            return weighted(inputs)

        true = Cost(call=0.0001)
        engine = PricedEngine(true, disturbed)
        found = cost.measure(engine, samples(30, 7), 64, engine.clock)
        assert all(one.seconds == pytest.approx(true.seconds(one.rows, one.size)) for one in found)

    def test_a_batch_repeats_one_row(self):
        engine = FakeEngine()
        assert cost.seconds(engine, {"x": np.array([[1.0, 2.0]])}, 3) > 0
        assert all(call["x"].tolist() == [[1.0, 2.0]] * 3 for call in engine.calls)
        assert len(engine.calls) == cost.TRIES + 1
