"""The capacity model and the simulators: against theory, against each other, and nothing is lost in either."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.capacity.autoscaler import SYNC, Autoscaler, Behavior
from loadtest.capacity.costs import MEASURED, Costs, read
from loadtest.capacity.curve import Curve, cpu, percentiles
from loadtest.capacity.day import Day, Loss, Place, Pods
from loadtest.capacity.fleet import BALANCERS, Fleet, at_random
from loadtest.capacity.model import Demand, Device, feeding, fleet, spread
from loadtest.capacity.traffic import Traffic
from loadtest.capacity.worker import rate_within, steady

PLAIN = Costs("plain", call=0.0, row=0.001, loop=0.0, request=0.0, most_rows=1)
"""A millisecond a request, no batches: M/D/1."""
BATCHED = Costs("batched", call=0.003, row=0.0003, loop=0.003, request=0.0006, base_mb=50, worker_mb=100)


def test_without_batches_a_worker_is_an_m_d_1_queue():
    """Pollaczek and Khinchine: the mean wait is ρ / (2 (1 − ρ)) services."""
    for load in (0.3, 0.6, 0.8):
        found = steady(PLAIN, load * 1000, requests=120_000)
        assert found.waits == pytest.approx(0.001 * load / (2 * (1 - load)), rel=0.05)
        assert found.busy == pytest.approx(load, rel=0.02)


def inoue(rate: float, call: float, each: float) -> float:
    """The bound on the mean latency of a server without a limit on its batches, by its second form, for high loads."""
    load = rate * each
    return 1.5 * call / (1 - load) + 0.5 * each * (load + 2) / (1 - load**2)


@pytest.mark.parametrize("load", [0.5, 0.7, 0.8])
def test_the_mean_of_a_batching_worker_is_just_below_inoues_bound(load):
    costs = Costs("endless", call=0.001, row=0.0003, loop=0.001, request=0.0, most_rows=10_000)
    mean = float(np.mean(steady(costs, load / costs.each(), requests=100_000).latencies))
    assert 0.93 < mean / inoue(load / costs.each(), 0.002, costs.each()) < 1.02


@pytest.mark.parametrize("choose", BALANCERS.values(), ids=BALANCERS)
def test_the_simulated_fleet_obeys_littles_law(choose):
    """Requests in the system = rate · time in it; seen from outside, over the answered ones."""
    simulated = Fleet(BATCHED, 3, choose)
    rate, seconds = 0.7 * 3 * BATCHED.peak(), 6.0
    seen: list[int] = []

    def look():
        while True:
            yield simulated.env.timeout(0.001)
            seen.append(sum(worker.outstanding for worker in simulated.workers))

    simulated.env.process(look())
    told = simulated.open(rate, seconds)
    through = len(told.latencies) / seconds
    assert np.mean(seen) == pytest.approx(through * np.mean(told.latencies), rel=0.03)


def test_one_worker_of_the_fleet_is_the_worker_of_the_model():
    rate = 0.7 * BATCHED.peak()
    told = Fleet(BATCHED, 1).open(rate, 20_000 / rate)
    expected = steady(BATCHED, rate)
    assert np.median(told.latencies) == pytest.approx(expected.percentile(50), rel=0.05)
    assert np.percentile(told.latencies, 99) == pytest.approx(expected.percentile(99), rel=0.1)


def test_a_closed_loop_fills_the_workers():
    """With as many connections as two batches, one waits while the other is computed."""
    told = Fleet(BATCHED, 2).closed(2 * 2 * BATCHED.most(), 5.0)
    assert len(told.latencies) / 5.0 == pytest.approx(2 * BATCHED.peak(), rel=0.05)


def test_a_balancer_that_looks_keeps_the_tail_short():
    rate = 0.85 * 8 * BATCHED.peak()
    tails = [np.percentile(Fleet(BATCHED, 8, one).open(rate, 3.0).latencies, 99) for one in BALANCERS.values()]
    assert tails[0] > tails[1] > 0.95 * tails[2]


@given(load=st.floats(0.1, 4.0), workers=st.integers(1, 4), seed=st.integers(0, 99), rows=st.sampled_from([1, 7, 200]))
@settings(max_examples=25, deadline=None)
def test_every_request_is_answered_given_up_or_in_flight(load, workers, seed, rows):
    simulated = Fleet(BATCHED, workers, at_random, seed, rows)
    told = simulated.open(load * workers * BATCHED.peak(rows), 100 / BATCHED.peak(rows))
    waiting = sum(worker.outstanding for worker in simulated.workers)
    assert told.came == len(told.latencies) + told.given_up + told.away + waiting
    if load < 0.5:
        assert told.refusals == 0


CURVE = Curve(BATCHED)


@given(
    pods=st.integers(1, 9),
    load=st.floats(0.0, 3.0),
    lost=st.none() | st.builds(Loss, st.integers(1, 200)),
    scaled=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_in_a_day_every_request_is_answered_given_up_or_in_flight(pods, load, lost, scaled, seed):
    place = Place(cores=2, evict=60.0)
    rates = load * pods * 2 * BATCHED.peak() * np.ones(300)
    scaler = Autoscaler(0.6, 1, 30) if scaled else None
    day = Day(BATCHED, rates, Pods(pods), place, scaler, cpu, lost, seed)
    told = day.run(CURVE)
    assert sum(one.came for one in told) == sum(one.answered + one.given_up for one in told) + day.in_flight
    assert all(count >= 0 for one in told for count in (one.answered, one.refused, one.broken, one.given_up, one.waits))
    assert all(one.pods >= 1 for one in told)


@pytest.mark.parametrize("load", [0.4, 0.8, 1.5])
def test_a_day_by_the_second_is_a_fleet_by_the_request(load):
    """The same load for some seconds: what is answered, what is refused, and how long it takes."""
    seconds, workers = 10, 2
    rate = load * workers * BATCHED.peak()
    by_request = Fleet(BATCHED, workers).open(rate, seconds)
    day = Day(BATCHED, np.full(seconds, rate), Pods(1), Place(cores=workers))
    by_second = day.run(CURVE)
    answered = sum(one.answered for one in by_second)
    assert answered == pytest.approx(len(by_request.latencies), rel=0.06)
    assert sum(one.refused for one in by_second) / answered == pytest.approx(
        by_request.refusals / len(by_request.latencies), rel=0.15
    )
    settled = by_second[3:]
    for percent in (50.0, 99.0):
        expected = np.percentile(by_request.latencies[len(by_request.latencies) // 3 :], percent)
        assert percentiles(CURVE, settled, [percent])[0] == pytest.approx(expected, rel=0.25)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.integers(1, 40))
def test_the_autoscaler_stays_between_its_ends_and_shrinks_no_sooner_than_it_may(metrics, start):
    scaler, current = Autoscaler(0.6, 2, 30), max(2, min(start, 30))
    history: list[tuple[float, int]] = []
    for turn, metric in enumerate(metrics):
        now = turn * SYNC
        history.append((now, min(max(scaler.wish(current, current, metric), 2), 30)))
        after = scaler.step(now, current, current, metric)
        assert 2 <= after <= 30
        assert after <= max(2 * current, current + 4)
        if after < current:
            assert after >= max(wish for at, wish in history if at > now - scaler.behavior.stable)
        current = after


def test_an_autoscaler_grows_and_shrinks_within_its_periods():
    """A doubling in 30 seconds, and then a tenth a minute once ten minutes allow it."""
    scaler, pods = Autoscaler(0.5, 1, 99, Behavior(2, 30.0, 0.1, 60.0, 600.0)), [10]
    for turn in range(80):
        pods.append(scaler.step(turn * SYNC, pods[-1], pods[-1], 5.0 if turn < 4 else 0.01))
    assert pods[:6] == [10, 20, 20, 40, 40, 40]
    assert pods[40:48] == [40, 40, 40, 40, 36, 36, 36, 36]


def test_a_lost_zone_makes_an_autoscaler_of_cpu_wait_until_the_pods_are_replaced():
    """Pods without a metric count as idle: two thirds that carry all are what is wanted of all, it finds."""
    assert Autoscaler(0.6, 1, 99).wish(current=12, ready=8, metric=0.9) == 12
    assert Autoscaler(0.6, 1, 99).wish(current=8, ready=8, metric=0.9) == 12


def test_a_worker_within_a_percentile_is_the_faster_the_more_it_may_take():
    found = [rate_within(BATCHED, p99) for p99 in (0.003, 0.018, 0.06, 1.5)]
    assert found[0] == 0
    assert sorted(found) == found
    assert found[-1] <= BATCHED.peak()
    assert rate_within(BATCHED, 1.5, most_busy=0.6) == pytest.approx(0.6 * BATCHED.peak())


@given(st.floats(100, 1e7), st.sampled_from([1, 8, 64]), st.integers(1, 5))
@settings(max_examples=5, deadline=None)
def test_a_fleet_carries_its_demand_without_one_of_its_zones(rate, rows, zones):
    demand = Demand(rate, rows, p99=0.2, zones=zones)
    found = fleet(BATCHED, demand)
    left = found.machines * (zones - 1) // zones if zones > 1 else found.machines
    assert left * demand.cores * found.each >= demand.requests * 0.999999
    assert found.each <= demand.most_busy * BATCHED.peak(rows) * 1.000001
    assert found.machines == spread(-(-found.cores // demand.cores), zones)


def test_a_demand_that_no_core_meets_is_told():
    with pytest.raises(ValueError, match=r"a p99 of 0\.001 s cannot be"):
        fleet(BATCHED, Demand(100, p99=0.001))


def test_rows_that_come_together_need_fewer_cores_to_feed_a_device():
    device = Device(call=0.001, row=0.00001)
    assert feeding(BATCHED, device, 64) < feeding(BATCHED, device, 1)


def test_a_day_of_traffic_peaks_at_its_hour_and_bursts_for_its_share():
    traffic = Traffic(1000.0)
    calm = traffic.rates(0) / traffic.bursts(0, 86_400)
    assert np.argmax(calm) == traffic.peak_hour * 3600
    assert calm.min() == pytest.approx(traffic.night * traffic.peak)
    shares = [np.mean(traffic.bursts(seed, 86_400) > 1) for seed in range(40)]
    assert np.mean(shares) == pytest.approx(traffic.lasts / (traffic.lasts + traffic.apart), rel=0.15)


def test_the_measured_costs_can_be_read_and_are_costs():
    for costs in read(MEASURED).values():
        assert 0 < costs.peak() < 1e6
        assert costs.peak(64) * 64 > 0.5 * costs.peak()
