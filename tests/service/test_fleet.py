"""A fleet under the engine of HTTP workers: who is asked, who is asked again, and who is left alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from service.batching.batcher import Batcher
from service.batching.queueing import Queue
from service.engines.tf_serving import messages
from service.engines.tf_serving.breaker import FIRST, LONGEST, MOST, Breaker
from service.engines.tf_serving.engine import DEPTH
from service.engines.tf_serving.failures import Failed
from service.engines.tf_serving.fleet import DOUBT, FleetAway
from service.engines.tf_serving.messages import OtherModel
from service.engines.tf_serving.names import addresses
from service.engines.tf_serving.replica import MISSES
from service.errors import DeadlineExceeded, EngineFailed, InvalidInput, ModelNotReady, QueueFull
from service.grpc.messages import GetModelMetadataResponse, PredictResponse, message
from service.grpc.tensors import write
from service.signature import Signature
from tests.service.fakes import RAISES, ManualDriver, job, specs
from tests.service.fleets import MISSING, REFUSED, RESET, SLOW, Net, Server
from tests.service.server import SECONDS
from tests.service.test_device import until
from tests.service.test_metrics import value


def x(*values: float) -> dict[str, np.ndarray]:
    return {"x": np.array(values, np.float32).reshape(-1, 1)}


@pytest.fixture
def net() -> Net:
    return Net()


class TestWhoIsAsked:
    def test_the_signature_is_the_fleets(self, net: Net):
        engine = net.engine()
        assert set(engine.signature.inputs) == {"x"}
        assert (engine.name, engine.device, engine.absent()) == ("tf_serving", "fleet:1", "")
        assert engine.parallel == 3 * DEPTH

    def test_a_batch_crosses_whole_and_its_outputs_come_back(self, net: Net):
        assert net.engine().run(x(1, 2, 3))["y"].tolist() == [[1], [2], [3]]
        assert sorted(map(len, (server.batches for server in net.servers.values()))) == [0, 0, 1]

    def test_one_after_another_all_are_asked_alike(self, net: Net):
        engine = net.engine()
        for _ in range(30):
            engine.run(x(1))
        assert net.batches() == [10, 10, 10]

    def test_one_that_comes_late_is_not_flooded(self, net: Net):
        net["c"].mute = REFUSED
        engine = net.engine()
        for _ in range(20):
            engine.run(x(1))
        net["c"].mute = None
        net.fleet.look()
        for _ in range(30):
            engine.run(x(1))
        assert net.batches() == [20, 20, 10]

    @given(st.lists(st.one_of(st.none(), st.integers(0, 20)), min_size=20, max_size=60))
    def test_it_is_always_one_with_the_fewest_batches(self, moves: list[int | None]):
        net, held = Net(), []
        net.fleet.look()
        members = net.fleet.members
        for move in moves:
            least = min(replica.busy for replica in members.replicas)
            if move is None or not held:
                held.append(members.take((), 0.0))
                assert held[-1].busy == least + 1
            else:
                members.give(held.pop(move % len(held)), well=True, now=0.0)
        assert sum(replica.busy for replica in members.replicas) == len(held)

    def test_many_at_once_go_to_all(self, net: Net):
        engine, together = net.engine(), threading.Barrier(3)
        for server in net.servers.values():
            server.before = lambda: together.wait(SECONDS)
        with ThreadPoolExecutor(3) as pool:
            asked = [pool.submit(engine.run, x(number)) for number in range(3)]
            assert [one.result(SECONDS)["y"].item() for one in asked] == [0, 1, 2]
        assert net.batches() == [1, 1, 1]


class TestWhoIsAskedAgain:
    @pytest.mark.parametrize(
        "failed",
        [REFUSED, RESET, MISSING, *map(Failed, ("RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "CANCELLED"))],
        ids=lambda failed: failed.code,
    )
    def test_another_answers(self, net: Net, failed: Failed):
        engine = net.engine()
        net["a"].sick = failed
        assert [engine.run(x(number))["y"].item() for number in range(9)] == list(range(9))

    @pytest.mark.parametrize(
        ("failed", "error", "asked"),
        [
            (REFUSED, ModelNotReady, 3),
            (MISSING, ModelNotReady, 3),
            (RESET, ModelNotReady, 2),
            (Failed("CANCELLED"), ModelNotReady, 2),
            (Failed("RESOURCE_EXHAUSTED", "queue full"), QueueFull, 2),
            (Failed("RESOURCE_EXHAUSTED", "Received message larger than max (9 vs. 4)"), EngineFailed, 1),
            (Failed("INTERNAL", "a kernel raised"), EngineFailed, 2),
            (SLOW, DeadlineExceeded, 1),
            (Failed("INVALID_ARGUMENT", "indices[0] = 99"), InvalidInput, 1),
            (Failed("UNIMPLEMENTED"), EngineFailed, 1),
            (Failed("PERMISSION_DENIED"), EngineFailed, 1),
        ],
        ids=lambda value: value.code if isinstance(value, Failed) else "",
    )
    def test_as_often_as_is_safe_and_the_client_hears_why(self, net: Net, failed: Failed, error, asked: int):
        engine = net.engine()
        for server in net.servers.values():
            server.sick = failed
        with pytest.raises(error):
            engine.run(x(1))
        assert sum(net.batches()) == asked

    @given(st.lists(st.sampled_from([REFUSED, MISSING, RESET, SLOW, Failed("INTERNAL"), None]), min_size=5, max_size=5))
    def test_no_batch_that_may_have_run_is_sent_more_than_twice(self, fails: list[Failed | None]):
        net = Net(5)
        engine = net.engine()
        for server, failed in zip(net.servers.values(), fails, strict=True):
            server.sick = failed
        try:
            engine.run(x(1))
        except (ModelNotReady, DeadlineExceeded, EngineFailed):
            assert None not in fails or sum(failed not in (REFUSED, MISSING, None) for failed in fails)
        ran = [server for server in net.servers.values() if server.batches and server.sick not in (REFUSED, MISSING)]
        assert len(ran) <= 2

    def test_a_server_that_is_full_says_when_to_come_back(self, net: Net):
        engine = net.engine()
        for server in net.servers.values():
            server.sick = Failed("RESOURCE_EXHAUSTED", "queue full", after=2.5)
        with pytest.raises(QueueFull, match="queue full") as caught:
            engine.run(x(1))
        assert (caught.value.retry_after, caught.value.retry_ms) == (3, 2500)

    def test_a_batch_that_kills_takes_two_replicas_then_one_a_time_until_the_doubt_is_over(self):
        net = Net(8)
        engine = net.engine()
        for server in net.servers.values():
            server.sick = RESET

        def killed() -> int:
            before = sum(net.batches())
            with pytest.raises(ModelNotReady):
                engine.run(x(1))
            return sum(net.batches()) - before

        assert [killed(), killed(), killed()] == [2, 1, 1]
        net.clock.now += DOUBT
        assert killed() == 2

    def test_one_that_was_lost_by_itself_raises_no_doubt(self, net: Net):
        engine = net.engine()
        for _ in range(3):
            net["b"].fails.append(RESET)
            assert [engine.run(x(1))["y"].item() for _ in range(3)] == [1, 1, 1]
            net.fleet.look()


class TestDeadlines:
    def test_what_is_left_goes_along(self, net: Net):
        net.engine(30).run_within(x(1), 2.0)
        assert [one for server in net.servers.values() for one in server.seconds] == [2.0]

    def test_never_more_than_the_setting(self, net: Net):
        engine = net.engine(30)
        engine.run_within(x(1), 1e18)
        engine.run(x(1))
        assert [one for server in net.servers.values() for one in server.seconds] == [30.0, 30.0]

    def test_who_is_asked_again_has_what_is_left_of_it(self, net: Net):
        engine = net.engine()
        for server in net.servers.values():
            server.before = lambda: setattr(net.clock, "now", net.clock.now + 3)
            server.fails = [RESET]
        with pytest.raises(ModelNotReady):
            engine.run_within(x(1), 10.0)
        assert sorted(one for server in net.servers.values() for one in server.seconds) == [7.0, 10.0]

    def test_nobody_is_asked_once_nothing_is_left(self, net: Net):
        with pytest.raises(DeadlineExceeded):
            net.engine().run_within(x(1), 0.0)
        assert net.batches() == [0, 0, 0]
        assert {replica.busy for replica in net.fleet.members.replicas} == {0}

    def test_a_batch_has_the_time_of_its_most_patient_request(self, net: Net):
        asked = [job([[float(number)]], deadline=deadline) for number, deadline in enumerate([103.0, 109.0, 105.0])]
        batcher = Batcher(net.engine(), Queue(8, 8), ManualDriver, clock=net.clock)
        batcher.submit(asked)
        batcher.step()
        assert [one for server in net.servers.values() for one in server.seconds] == [9.0]
        assert [one.future.result(0).outputs["y"].item() for one in asked] == [0, 1, 2]

    @pytest.mark.parametrize(
        ("failed", "error"),
        [(SLOW, DeadlineExceeded), (Failed("RESOURCE_EXHAUSTED"), QueueFull), (RESET, ModelNotReady)],
        ids=["late", "full", "broke"],
    )
    def test_what_fails_whatever_the_rows_is_not_tried_apart(self, net: Net, failed: Failed, error):
        for server in net.servers.values():
            server.sick = failed
        asked = [job([[float(number)]]) for number in range(3)]
        batcher = Batcher(net.engine(), Queue(8, 8), ManualDriver)
        batcher.submit(asked)
        batcher.step()
        for one in asked:
            with pytest.raises(error):
                one.future.result(0)
        assert {len(rows) for server in net.servers.values() for rows in server.batches} == {3}

    def test_a_row_that_fails_fails_alone(self, net: Net):
        for server in net.servers.values():
            server.before = lambda server=server: server.fails.extend(
                [Failed("INTERNAL")] * ([RAISES] in server.batches[-1])
            )
        asked = [job([[float(number)]]) for number in (1, RAISES, 2)]
        batcher = Batcher(net.engine(), Queue(8, 8), ManualDriver)
        batcher.submit(asked)
        batcher.step()
        with pytest.raises(EngineFailed):
            asked[1].future.result(0)
        assert [asked[place].future.result(0).outputs["y"].item() for place in (0, 2)] == [1, 2]
        assert all(replica.breaker.closed for replica in net.fleet.members.replicas)


class TestWhoIsLeftAlone:
    def test_who_fails_at_what_others_can_rests_and_is_tried_by_one(self, net: Net):
        engine = net.engine()
        net["a"].sick = Failed("INTERNAL", "out of memory")
        for _ in range(100):
            engine.run(x(1))
        assert net.batches()[0] == MOST
        net.clock.now += FIRST
        for _ in range(10):
            engine.run(x(1))
        assert net.batches()[0] == MOST + 1
        net["a"].sick = None
        net.clock.now += 2 * FIRST
        for _ in range(30):
            engine.run(x(1))
        assert net.batches()[0] > MOST + 9

    def test_where_all_fail_alike_nobody_is_to_blame(self, net: Net):
        engine = net.engine()
        for server in net.servers.values():
            server.sick = Failed("INTERNAL")
        for _ in range(30):
            with pytest.raises(EngineFailed):
                engine.run(x(1))
        assert all(replica.breaker.failures == 0 for replica in net.fleet.members.replicas)

    def test_where_all_are_sick_they_are_asked_still(self, net: Net):
        engine = net.engine()
        for server in net.servers.values():
            server.sick = SLOW
        for _ in range(20):
            with pytest.raises(DeadlineExceeded):
                engine.run(x(1))
        assert not any(replica.breaker.closed for replica in net.fleet.members.replicas)
        for server in net.servers.values():
            server.sick = None
        assert engine.run(x(4))["y"].item() == 4

    def test_one_that_hangs_is_not_waited_for_by_more_than_it_holds(self, net: Net):
        engine = net.engine()
        net["a"].mute = SLOW
        net.fleet.look()
        for _ in range(10):
            engine.run(x(1))
        assert net.batches()[0] == 0

    def test_what_one_that_hangs_holds_is_broken(self, net: Net):
        net.engine()
        net["a"].mute = SLOW
        for _ in range(MISSES):
            assert not any(wire.closed for wire in net.wires)
            net.fleet.look()
        assert [wire.address for wire in net.wires if wire.closed] == ["a:1"]
        net["a"].mute = None
        net.fleet.look()
        assert all(replica.trouble == "" for replica in net.fleet.members.replicas)

    def test_one_that_is_gone_is_asked_nothing_until_it_is_back(self, net: Net):
        engine = net.engine()
        gone = net.servers.pop("a:1")
        for _ in range(2):
            net.fleet.look()
            engine.run(x(1))
        assert engine.absent() == ""
        net.servers["a:1"] = gone
        assert all(engine.run(x(1)) for _ in range(9))
        assert len(gone.batches) == 0
        net.fleet.look()
        assert all(engine.run(x(1)) for _ in range(9))
        assert len(gone.batches) == 3

    @pytest.mark.parametrize("failed", [RESET, REFUSED, MISSING], ids=["broke", "unreached", "without the version"])
    def test_one_that_failed_so_is_heard_before_it_is_asked_again(self, net: Net, failed: Failed):
        engine = net.engine()
        net["a"].sick = failed
        assert all(engine.run(x(1)) for _ in range(12))
        assert net.batches()[0] == 1
        net["a"].sick = None
        net.fleet.look()
        assert all(engine.run(x(1)) for _ in range(12))
        assert net.batches()[0] == 5

    def test_without_any_it_is_told_and_clients_may_come_back(self, net: Net):
        engine = net.engine()
        net.servers.clear()
        net.fleet.look()
        assert engine.absent().count("Connection refused") == 3
        with pytest.raises(ModelNotReady, match="Connection refused") as caught:
            engine.run(x(1))
        assert caught.value.retry_after == 1


class TestOnAThreadOfItsOwn:
    def test_who_broke_a_batch_is_heard_at_once(self, net: Net):
        engine = net.engine()
        net.fleet.start()
        for server in net.servers.values():
            server.fails = [RESET, RESET]
        with pytest.raises(ModelNotReady):
            engine.run(x(1))
        until(lambda: all(replica.trouble == "" for replica in net.fleet.members.replicas))
        engine.close()

    def test_one_look_that_fails_is_not_the_last(self, net: Net, caplog: pytest.LogCaptureFixture):
        engine = net.engine()
        net["a"].fails = [RESET]
        net.wires[0].begin = net.wires[1].begin = net.wires[2].begin = None
        net.fleet.start()
        assert all(engine.run(x(1)) for _ in range(3))
        until(lambda: "fake/1: the fleet could not be looked at" in caplog.text)
        for wire in net.wires:
            del wire.begin
        net.fleet._wake.set()
        until(lambda: all(replica.trouble == "" for replica in net.fleet.members.replicas))
        engine.close()

    def test_a_fleet_that_is_still_loading_is_waited_for(self, net: Net):
        for server in net.servers.values():
            server.state = "LOADING"
        with ThreadPoolExecutor(1) as pool:
            met = pool.submit(net.fleet.meet, 1.0)
            until(lambda: "LOADING" in net.fleet.trouble())
            net["b"].state = "AVAILABLE"
            assert set(met.result(SECONDS).inputs) == {"x"}


class TestWhoIsThere:
    @pytest.mark.parametrize("state", ["START", "LOADING", "UNLOADING", "END"])
    def test_a_version_that_is_not_available_is_not_asked_for(self, net: Net, state: str):
        net["b"].state = state
        engine = net.engine()
        assert all(engine.run(x(1)) for _ in range(6))
        assert net.batches()[1] == 0
        net["b"].state = "AVAILABLE"
        net.fleet.look()
        assert all(engine.run(x(1)) for _ in range(6))
        assert net.batches()[1] == 2

    def test_one_with_another_model_is_not_asked(self, net: Net):
        engine = net.engine()
        net.behind["fleet:1"].append("d:1")
        net.servers["d:1"] = Server(Signature(specs(x=("float32", (None, 1))), specs(z=("float32", (None, 1)))))
        net.fleet.look()
        assert all(engine.run(x(1)) for _ in range(8))
        assert net.batches()[3] == 0
        assert "signatures differ" in net.fleet.members.replicas[3].trouble

    def test_what_a_name_resolves_to_is_followed(self, net: Net):
        engine = net.engine()
        net.servers["d:1"] = Server()
        net.behind["fleet:1"] = ["b:1", "d:1"]
        net.fleet.look()
        assert all(engine.run(x(1)) for _ in range(8))
        assert net.batches() == [0, 4, 0, 4]
        assert sorted(wire.address for wire in net.wires if wire.closed) == ["a:1", "c:1"]
        assert np.isnan(value("manifold_fleet_replica_up", replica="a:1"))

    def test_a_name_that_cannot_be_resolved_for_now_is_who_it_was(self, net: Net):
        engine = net.engine()
        del net.behind["fleet:1"]
        net.fleet.look()
        assert all(engine.run(x(1)) for _ in range(6))
        assert net.batches() == [2, 2, 2]

    def test_who_leaves_answers_what_it_was_asked(self, net: Net):
        engine = net.engine()
        for server in net.servers.values():
            server.before = lambda: (net.behind.update({"fleet:1": []}), net.fleet.look())
        assert engine.run(x(7))["y"].item() == 7
        assert len([wire for wire in net.wires if wire.closed]) == 2
        net.fleet.look()
        assert all(wire.closed for wire in net.wires)
        with pytest.raises(ModelNotReady, match="nobody at fleet:1"):
            engine.run(x(1))

    def test_a_fleet_that_has_not_the_version_is_waited_for_no_longer_than_the_patience(self, net: Net):
        for server in net.servers.values():
            server.mute = MISSING
        with pytest.raises(FleetAway, match="NOT_FOUND"):
            net.engine()
        assert all(wire.closed for wire in net.wires)

    def test_one_is_enough_to_begin(self, net: Net):
        net["a"].mute = net["b"].mute = REFUSED
        assert net.engine().run(x(3))["y"].item() == 3

    def test_closed_nobody_is_held(self, net: Net):
        engine = net.engine()
        engine.close()
        net.fleet.look()
        assert all(wire.closed for wire in net.wires)
        assert engine.signature.inputs

    def test_closed_while_one_is_heard_nobody_is_down_for_ever(self, net: Net):
        engine = net.engine()
        [replica, *_] = net.fleet.members.replicas
        answer = replica.ask()
        engine.close()
        replica.hear(answer, None)
        assert all(np.isnan(value("manifold_fleet_replica_up", replica=address)) for address in net.servers)

    @pytest.mark.parametrize("said", [b"\xff", b"\n\x04\x08\x01\x10\x63"], ids=["no message", "no state there is"])
    def test_one_that_speaks_otherwise_keeps_nobody_from_being_heard(self, net: Net, said: bytes):
        engine = net.engine()
        [first, second, _] = net.fleet.members.replicas
        net.servers[first.address].status = said
        net.servers[second.address].mute = REFUSED
        net.fleet.look()
        assert "nothing of TensorFlow Serving's" in first.trouble
        assert "Connection refused" in second.trouble
        assert engine.run(x(1))["y"].item() == 1

    def test_a_name_is_every_address_of_one_family(self):
        assert addresses("localhost:8500") in (["127.0.0.1:8500"], ["[::1]:8500"])


def test_every_call_is_counted(net: Net):
    engine = net.engine()
    before = value("manifold_fleet_calls_total", replica="b:1", code="UNAVAILABLE")
    net["b"].fails = [RESET]
    assert all(engine.run(x(1)) for _ in range(3))
    assert value("manifold_fleet_calls_total", replica="b:1", code="UNAVAILABLE") == before + 1
    assert value("manifold_fleet_replica_up", replica="b:1") == 1
    for mute, up in ((REFUSED, 0), (MISSING, 1), (SLOW, 0), (None, 1)):
        net["b"].mute = mute
        net.fleet.look()
        assert value("manifold_fleet_replica_up", replica="b:1") == up


PAIRS = Signature(specs(x=("float32", (None,))), specs(y=("float16", (None, None))))


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({"y": np.zeros((2, 3), np.float16)}, None),
        ({"y": np.zeros((2, 0), np.float16)}, None),
        ({"z": np.zeros((2, 3), np.float16)}, None),
        ({"y": np.zeros((2, 3), np.float32)}, "expected DT_HALF, got DT_FLOAT"),
        ({"y": np.zeros((2, 0, 3), np.float16)}, "expected shape"),
        ({"y": np.zeros(2, np.float16)}, "expected shape"),
    ],
    ids=["right", "empty", "unknown", "of another dtype", "of another rank", "without its axis"],
)
def test_what_a_replica_answers_is_looked_at_not_trusted(outputs: dict[str, np.ndarray], told: str | None):
    response = PredictResponse()
    for name, array in outputs.items():
        write(array, response.outputs[name])
    if told is not None:
        with pytest.raises(EngineFailed, match=told):
            messages.outputs(response.SerializeToString(), PAIRS)
        return
    found = messages.outputs(response.SerializeToString(), PAIRS)
    assert {name: array.shape for name, array in found.items()} == {
        name: array.shape for name, array in outputs.items() if name == "y"
    }


def test_an_answer_that_is_none_fails_its_batch():
    with pytest.raises(EngineFailed, match="no PredictResponse"):
        messages.outputs(b"\xff", PAIRS)


def test_a_sparse_tensor_is_not_served():
    response = GetModelMetadataResponse()
    found = message("tensorflow.serving.SignatureDefMap")()
    found.signature_def["serving_default"].inputs["x"].dtype = 1
    response.metadata["signature_def"].Pack(found)
    with pytest.raises(OtherModel, match="x is a tensor of DT_FLOAT that is not served here"):
        messages.signature(response.SerializeToString())


class Circuit(RuleBasedStateMachine):
    """What the breaker promises, whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = 0.0
        self.failed = 0
        self.open_since: float | None = None
        self.under_way = 0

    @rule(seconds=st.floats(0, 2 * LONGEST))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.allows(self.now))
    @rule()
    def a_call_begins(self) -> None:
        self.breaker.begin()
        self.under_way += 1

    @precondition(lambda self: self.under_way)
    @rule(well=st.sampled_from([True, False, None]))
    def a_call_ends(self, well: bool | None) -> None:
        self.under_way -= 1
        self.breaker.end(well, self.now)
        if well:
            self.failed, self.open_since = 0, None
        elif well is False:
            self.failed += 1
            if not self.breaker.closed and not self.breaker.allows(self.now):
                self.open_since = self.now if self.open_since is None else self.open_since

    @invariant()
    def fewer_failures_in_a_row_leave_it_closed(self) -> None:
        assert self.failed >= MOST or self.breaker.allows(self.now)

    @invariant()
    def nobody_is_left_alone_for_ever(self) -> None:
        if self.under_way == 0:
            assert self.breaker.allows(self.now + LONGEST)

    @precondition(lambda self: not self.breaker.closed and self.breaker.allows(self.now))
    @rule()
    def one_is_let_through_to_try(self) -> None:
        self.breaker.begin()
        assert not self.breaker.allows(self.now + LONGEST)
        self.breaker.end(None, self.now)


TestCircuit = Circuit.TestCase


def opened(breaker: Breaker, now: float = 0.0) -> Breaker:
    for _ in range(MOST):
        breaker.end(well=False, now=now)
    return breaker


def test_one_call_alone_tries_whether_it_is_well_again():
    breaker = opened(Breaker())
    assert not breaker.allows(FIRST / 2)
    assert breaker.allows(FIRST)
    breaker.begin()
    assert not breaker.allows(FIRST)
    breaker.end(well=None, now=FIRST)
    assert breaker.allows(FIRST)
    breaker.begin()
    breaker.end(well=True, now=FIRST)
    assert breaker.closed


def test_one_that_was_well_again_rests_as_at_first():
    breaker = opened(Breaker())
    breaker.end(well=False, now=FIRST)
    breaker.end(well=True, now=FIRST)
    assert opened(breaker, now=10.0).allows(10.0 + FIRST)


def test_of_many_at_once_one_tries(net: Net):
    net.fleet.look()
    members = net.fleet.members
    [sick, *_] = members.replicas
    opened(sick.breaker)
    taken = [members.take((), FIRST) for _ in range(9)]
    assert taken.count(sick) == 1


def test_a_breaker_rests_twice_as_long_each_time():
    breaker, now, rests = opened(Breaker()), 0.0, []
    for _ in range(7):
        rest = next(rest for rest in (1, 2, 4, 8, 16, 30) if breaker.allows(now + rest))
        rests.append(rest)
        now += rest
        breaker.begin()
        breaker.end(well=False, now=now)
    assert rests == [1, 2, 4, 8, 16, 30, 30]


def test_what_was_begun_before_it_opened_does_not_keep_it_open():
    breaker = Breaker()
    for _ in range(10 * MOST):
        breaker.end(well=False, now=0.0)
    assert breaker.allows(FIRST)
