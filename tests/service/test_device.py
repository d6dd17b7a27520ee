"""The engine of HTTP workers over the host of a device's process, both in this one; what happens when that goes."""

import fcntl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest

from service.batching.batcher import Batcher
from service.batching.drivers import PoolDriver
from service.batching.queueing import Queue
from service.device import handover
from service.device.host import DEPTH, Host
from service.device.placement import Device, socket_of
from service.device.turns import Turns
from service.engines.base import Engine
from service.engines.device import CannotLoadThere, DeviceEngine
from service.errors import EngineFailed, Fault, InvalidInput, ModelNotReady
from service.signature import Signature
from service.tensors import Array, Tensors
from tests.service.fakes import RAISES, FakeEngine, job, specs
from tests.service.server import SECONDS, patiently

MODEL = Path("/models/fake/1")


def until(condition: Callable[[], object]) -> None:
    for _ in patiently():
        if condition():
            return
    raise AssertionError("it never came to that")


class Gate(FakeEngine):
    """Holds every batch until told; knows how many it has."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.go = threading.Semaphore(0)
        self._lock = threading.Lock()

    def run(self, inputs: Tensors) -> dict[str, Array]:
        with self._lock:
            self.inside += 1
        self.go.acquire(timeout=SECONDS)
        with self._lock:
            self.inside -= 1
        return super().run(inputs)


class Devices:
    """Hosts by device, of this process; each loads what `make` makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts: dict[str, Host] = {}
        self.engines: list[DeviceEngine] = []

    def host(self, make: Callable[[Path], Engine], name: str = "cpu:0") -> Host:
        self.hosts[name] = Host(socket_of(self.folder, name), make)
        return self.hosts[name]

    def engine(self, *names: str, seconds: float = SECONDS, patience: float = SECONDS) -> DeviceEngine:
        sockets = {name: socket_of(self.folder, name) for name in names or ["cpu:0"]}
        engine = DeviceEngine(MODEL, sockets, seconds, patience)
        self.engines.append(engine)
        return engine


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[Devices]:
    devices = Devices(tmp_path)
    yield devices
    for engine in devices.engines:
        engine.close()
    for host in devices.hosts.values():
        host.close()


def x(*values: float) -> dict[str, Array]:
    return {"x": np.array(values, np.float32).reshape(-1, 1)}


def test_a_batch_crosses_whole_and_its_outputs_come_back(devices: Devices):
    inside = FakeEngine()
    devices.host(lambda _: inside)
    engine = devices.engine()
    assert engine.signature == inside.signature
    assert (engine.name, engine.device, engine.absent()) == ("fake", "thin air", "")
    assert engine.run(x(1, 2, 3))["y"].tolist() == [[1], [2], [3]]
    assert inside.seen() == [[1], [2], [3]]


def test_what_the_model_says_is_heard(devices: Devices):
    def refuse(_: Tensors) -> dict[str, Array]:
        raise InvalidInput([Fault("", "expected text in UTF-8")])

    devices.host(lambda _: FakeEngine(), "cpu:0")
    devices.host(lambda _: FakeEngine(function=refuse), "cpu:1")
    with pytest.raises(EngineFailed, match=r"^RuntimeError: poisoned row$"):
        devices.engine("cpu:0").run(x(RAISES))
    with pytest.raises(InvalidInput, match=r"^expected text in UTF-8$"):
        devices.engine("cpu:1").run(x(1))


def test_a_model_is_held_once_as_long_as_a_worker_wants_it(devices: Devices):
    made: list[FakeEngine] = []
    devices.host(lambda _: made.append(FakeEngine()) or made[-1])
    first, second = devices.engine(), devices.engine()
    assert len(made) == 1
    first.close()
    assert second.run(x(1))["y"].tolist() == [[1]]
    assert not made[0].closed
    second.close()
    until(lambda: made[0].closed)
    assert devices.engine().run(x(1))["y"].tolist() == [[1]]
    assert len(made) == 2


def test_how_long_the_longest_call_takes_is_known(devices: Devices):
    gate = Gate()
    host = devices.host(lambda _: gate)
    engine = devices.engine()
    assert host.longest() == 0
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(engine.run, x(1))
        until(lambda: host.longest() > 0)
        gate.go.release()
        call.result(SECONDS)
    assert host.longest() == 0


class TestLoading:
    def test_what_a_device_cannot_load_is_told(self, devices: Devices):
        def fail(_: Path) -> Engine:
            raise ValueError("no GPU here\nand more")

        devices.host(lambda _: FakeEngine(), "cpu:0")
        devices.host(fail, "cpu:1")
        with pytest.raises(CannotLoadThere, match=r"^cpu:1: ValueError: no GPU here$"):
            devices.engine("cpu:0", "cpu:1")

    def test_devices_with_different_models_are_refused(self, devices: Devices):
        other = Signature(specs(x=("float32", (None, 1))), specs(z=("float32", (None, 1))))
        devices.host(lambda _: FakeEngine(), "cpu:0")
        devices.host(lambda _: FakeEngine(other), "cpu:1")
        with pytest.raises(CannotLoadThere, match="different models"):
            devices.engine("cpu:0", "cpu:1")

    def test_a_device_that_never_answers_is_told(self, devices: Devices):
        with pytest.raises(CannotLoadThere, match="process of cpu:0 has not answered yet"):
            devices.engine(patience=0.01)

    def test_a_process_that_starts_late_is_waited_for(self, devices: Devices):
        with ThreadPoolExecutor(1) as pool:
            engine = pool.submit(devices.engine)
            devices.host(lambda _: FakeEngine())
            assert engine.result(SECONDS).run(x(4))["y"].tolist() == [[4]]


class TestAProcessThatGoes:
    def test_its_batch_fails_at_once_and_its_successor_answers(self, devices: Devices):
        gate = Gate()
        first = devices.host(lambda _: gate)
        engine = devices.engine()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(engine.run, x(1))
            until(lambda: gate.inside)
            first.close()
            with pytest.raises(ModelNotReady, match="process of cpu:0 has gone") as caught:
                asked.result(SECONDS)
        assert caught.value.retry_after == 1
        gate.go.release()
        until(engine.absent)
        with pytest.raises(ModelNotReady, match="process of cpu:0 has gone"):
            engine.run(x(1))
        devices.host(lambda _: FakeEngine())
        until(lambda: not engine.absent())
        assert engine.run(x(2))["y"].tolist() == [[2]]

    def test_its_neighbour_answers(self, devices: Devices):
        first = devices.host(lambda _: FakeEngine(), "cpu:0")
        devices.host(lambda _: FakeEngine(), "cpu:1")
        engine = devices.engine("cpu:0", "cpu:1")
        first.close()
        until(lambda: engine._places[0].trouble)
        assert engine.absent() == ""
        assert [engine.run(x(number))["y"].item() for number in range(5)] == [0, 1, 2, 3, 4]

    def test_no_job_of_its_batch_is_tried_apart(self, devices: Devices):
        host = devices.host(lambda _: FakeEngine())
        engine = devices.engine()
        host.close()
        until(engine.absent)
        asked = [job([[float(number)]]) for number in range(3)]
        batcher = Batcher(engine, Queue(8, 8))
        batcher.submit(asked)
        for one in asked:
            with pytest.raises(ModelNotReady):
                one.future.result(SECONDS)
        batcher.close()


def test_a_batch_that_takes_too_long_fails_and_its_answer_is_nobody_elses(devices: Devices):
    gate = Gate()
    devices.host(lambda _: gate)
    engine = devices.engine(seconds=1)
    with pytest.raises(ModelNotReady, match="has not answered for 1 s"):
        engine.run(x(1))
    gate.go.release(2)
    until(lambda: len(gate.calls) == 1)
    engine._places[0]._seconds = SECONDS  # the next may take as long as it needs
    assert engine.run(x(2))["y"].tolist() == [[2]]


class TestManyAtOnce:
    def test_while_one_computes_the_next_crosses_and_no_more(self, devices: Devices):
        gate = Gate()
        devices.host(lambda _: gate)
        engine = devices.engine()
        assert engine.parallel == DEPTH == 2
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(engine.run, x(number)) for number in range(4)]
            until(lambda: gate.inside == DEPTH)
            for _ in asked:
                gate.go.release()
            assert [one.result(SECONDS)["y"].item() for one in asked] == [0, 1, 2, 3]

    def test_the_least_loaded_device_is_asked(self, devices: Devices):
        gates = {"cpu:0": Gate(), "cpu:1": Gate()}
        for name, gate in gates.items():
            devices.host(lambda _, gate=gate: gate, name)
        engine = devices.engine(*gates)
        assert engine.parallel == 2 * DEPTH
        with ThreadPoolExecutor(4) as pool:
            asked = []
            for number in range(4):
                asked.append(pool.submit(engine.run, x(number)))
                until(lambda number=number: sum(gate.inside for gate in gates.values()) == number + 1)
            assert [gate.inside for gate in gates.values()] == [DEPTH, DEPTH]
            for gate in gates.values():
                gate.go.release(DEPTH)
            assert [one.result(SECONDS)["y"].item() for one in asked] == [0, 1, 2, 3]

    def test_a_batcher_keeps_as_many_batches_under_way_and_answers_all_before_it_closes(self, devices: Devices):
        gate = Gate()
        devices.host(lambda _: gate)
        engine = devices.engine()
        batcher = Batcher(engine, Queue(1, 100), lambda step: PoolDriver(step, engine.parallel))
        jobs = [job([[float(number)]]) for number in range(9)]
        batcher.submit(jobs)
        until(lambda: gate.inside == DEPTH)
        gate.go.release(len(jobs))
        batcher.close()
        assert [one.future.result(0).outputs["y"].item() for one in jobs] == list(range(9))


def test_a_process_stays_until_nobody_wants_its_models(devices: Devices):
    host = devices.host(lambda _: FakeEngine())
    engine = devices.engine()
    host.drain(0)  # nobody waits for ever
    engine.close()
    host.drain(SECONDS)
    assert host._models == {}


def test_who_resigns_answers_what_it_has_and_the_other_device_the_rest(devices: Devices):
    gate = Gate()
    leaving, inside = devices.host(lambda _: gate), FakeEngine()
    devices.host(lambda _: inside, "cpu:1")
    engine = devices.engine("cpu:0", "cpu:1")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(engine.run, x(1))
        until(lambda: gate.inside == 1)
        leaves = pool.submit(leaving.resign, SECONDS)
        until(lambda: leaving._resigned)
        assert [engine.run(x(value))["y"].item() for value in (2, 3, 4)] == [2, 3, 4]
        assert inside.seen() == [[2], [3], [4]]
        assert not leaves.done()
        gate.go.release()
        assert first.result(SECONDS)["y"].tolist() == [[1]]
        leaves.result(SECONDS)


class TestRelief:
    """Two devices, whose parent 1 has gone; parent 2 has started others."""

    A, B = Device("cpu:0"), Device("cpu:1")
    alone = False

    def teardown_method(self) -> None:
        self.alone = True  # who waits still waits no longer

    def standing(self, folder: Path, parent: int) -> TextIO:
        """The lock of who stands by, which tries again where another looks just then."""
        for _ in patiently():
            file = handover.locked(folder / handover.READY, parent)
            if file is not None:
                return file
        raise AssertionError("somebody has it for ever")

    def relief(self, folder: Path, device: Device) -> Future[object]:
        return ThreadPoolExecutor(1).submit(
            handover.relief, folder, 1, device, [self.A, self.B], lambda: not self.alone
        )

    def test_one_leaves_after_the_other_once_its_successor_has_all_models(self, tmp_path: Path):
        handover.tell(tmp_path, self.A, ["qa/1", "similarity/1"])
        handover.tell(tmp_path, self.B, ["similarity/1", "qa/1"])
        stands = handover.locked(tmp_path / handover.READY, 2)
        assert stands
        turn = self.relief(tmp_path, self.A).result(SECONDS)
        handover.tell(tmp_path, self.A, [])
        next_one = self.relief(tmp_path, self.B)
        with pytest.raises(TimeoutError):
            next_one.result(5 * handover.LOOK)
        turn.close()
        handover.tell(tmp_path, self.A, ["qa/1"])
        with pytest.raises(TimeoutError):
            next_one.result(5 * handover.LOOK)
        handover.tell(tmp_path, self.A, ["qa/1", "similarity/1"])
        next_one.result(SECONDS).close()
        stands.close()

    def test_nobody_leaves_for_a_process_of_the_parent_that_has_gone(self, tmp_path: Path):
        stands = handover.locked(tmp_path / handover.READY, 1)
        assert stands
        waits = self.relief(tmp_path, self.A)
        with pytest.raises(TimeoutError):
            waits.result(5 * handover.LOOK)
        stands.close()
        with self.standing(tmp_path, 2):
            waits.result(SECONDS).close()

    def test_who_only_looks_is_not_taken_for_one_that_stands_by(self, tmp_path: Path):
        looks = handover.locked(tmp_path / handover.READY, kind=fcntl.LOCK_SH)
        assert looks
        with looks:
            assert not handover.stands_by(tmp_path)
        with self.standing(tmp_path, 2):
            assert handover.stands_by(tmp_path)

    def test_who_is_wanted_by_nobody_goes(self, tmp_path: Path):
        waits = self.relief(tmp_path, self.A)
        with pytest.raises(TimeoutError):
            waits.result(5 * handover.LOOK)
        self.alone = True
        assert waits.result(SECONDS) is None


class TestTurns:
    def test_a_line_of_many_lets_another_model_pass_after_one(self):
        turns, order = Turns(1), []
        begun: list[threading.Thread] = []

        def take(line: str) -> None:
            with turns.of(line):
                order.append(line)

        with turns.of("slow"):
            for number, line in enumerate(["slow", "slow", "slow", "fast", "other"]):
                begun.append(threading.Thread(target=take, args=[line]))
                begun[-1].start()
                until(lambda number=number: turns.waiting == number + 1)
        for thread in begun:
            thread.join(SECONDS)
        assert order == ["slow", "fast", "other", "slow", "slow"]

    def test_one_that_fails_gives_its_turn_back(self):
        turns = Turns(1)
        for _ in range(3):
            with pytest.raises(ValueError, match="no"), turns.of("a"):
                raise ValueError("no")
        assert turns.waiting == 0
