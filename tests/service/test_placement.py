"""Which devices there are, and what computes where."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import serve
from service.device import placement
from service.device.placement import NO_GPU, Device, gpus, place, visible
from service.settings import BadSettings, Settings

UUIDS = ["GPU-ab1", "GPU-ab2", "GPU-cd3"]
DEVICE = Settings(placement="device")


class TestWhichGpusAreVisible:
    @pytest.mark.parametrize(
        ("mask", "left"),
        [
            (None, ["0", "1", "2"]),
            ("", []),
            ("-1", []),
            ("2", ["2"]),
            ("2, 0", ["2", "0"]),
            ("1,-1,0", ["1"]),
            ("0,3,1", ["0"]),
            ("GPU-cd,GPU-ab1", ["GPU-cd", "GPU-ab1"]),
            ("GPU-ab", []),  # of two
            ("GPU-ef,0", []),
            ("MIG-GPU-ab1/7/0,MIG-1f", ["MIG-GPU-ab1/7/0", "MIG-1f"]),
            ("NoDevFiles", []),
        ],
    )
    def test_as_cuda_reads_its_variable(self, mask, left):
        assert visible(UUIDS, mask) == left

    @pytest.mark.parametrize("mask", [None, "0", "MIG-1f"])
    def test_none_without_a_driver(self, mask):
        assert visible([], mask) == []

    @given(mask=st.lists(st.sampled_from(["0", "1", "2", "3", "-1", "GPU-ab1", "GPU-x", "", "MIG-1"])))
    def test_each_alone_is_itself_and_what_follows_a_wrong_one_is_none(self, mask):
        left = visible(UUIDS, ",".join(mask))
        assert left == mask[: len(left)]
        assert all(visible(UUIDS, one) == [one] for one in left)
        assert len(left) == len(mask) or visible(UUIDS, mask[len(left)]) == []

    def test_the_driver_has_a_folder_for_each(self, tmp_path: Path):
        for name, text in [("0000:0b:00.0", "Model: T4\nGPU UUID: \t GPU-cd3\nBus: x"), ("0000:0a:00.0", "Model: T4")]:
            (tmp_path / name).mkdir()
            (tmp_path / name / "information").write_text(text)
        assert gpus(tmp_path) == ["", "GPU-cd3"]
        assert gpus(tmp_path / "none") == []


class TestWhatGoesWhere:
    @pytest.mark.parametrize(
        ("settings", "masks", "tensorflow"),
        [
            (Settings(), [], True),
            (Settings(), ["0"], False),
            (Settings(engine="onnx"), ["0"], True),
            (Settings(placement="worker"), ["0"], True),
            (Settings(fleet="a:8500"), ["0"], True),
        ],
        ids=["no GPU", "no TensorFlow", "twins wished for", "workers wished for", "a fleet"],
    )
    def test_into_the_workers(self, settings, masks, tensorflow):
        assert place(settings, masks, tensorflow) == []

    @pytest.mark.parametrize("settings", [Settings(), DEVICE, Settings(engine="saved_model")])
    def test_onto_every_visible_gpu(self, settings):
        assert place(settings, ["2", "GPU-ab1"], tensorflow=True) == [Device("gpu:0", "2"), Device("gpu:1", "GPU-ab1")]

    @pytest.mark.parametrize("wished", ["auto", "device"])
    def test_onto_the_devices_named(self, wished):
        settings = Settings(placement=wished, devices="gpu:1, cpu:1")
        assert place(settings, ["0", "1"], tensorflow=True) == [Device("gpu:1", "1"), Device("cpu:1", NO_GPU)]

    @pytest.mark.parametrize(
        ("settings", "masks", "tensorflow", "told"),
        [
            (DEVICE, [], True, "no GPU is visible here; MANIFOLD_DEVICES=cpu tries it without"),
            (DEVICE, ["0"], False, "TensorFlow, which is not installed"),
            (Settings(devices="gpu:1"), ["0"], True, "gpu:1 is not visible here, only 1 GPUs are"),
            (Settings(devices="cpu", placement="worker"), [], True, "not worker"),
            (Settings(devices="cpu", engine="onnx"), [], True, "MANIFOLD_ENGINE=onnx"),
        ],
    )
    def test_what_cannot_be_is_told(self, settings, masks, tensorflow, told):
        with pytest.raises(BadSettings, match=told):
            place(settings, masks, tensorflow)


class TestAGpuThatTensorFlowDoesNotSee:
    def test_is_hidden_and_the_workers_compute(self, monkeypatch, capsys):
        monkeypatch.setenv(placement.MASK, "0")
        assert serve.place(Settings(), ["0"], lambda: False) == []
        assert serve.os.environ[placement.MASK] == NO_GPU
        assert "TensorFlow does not see it" in capsys.readouterr().err

    @pytest.mark.parametrize("settings", [DEVICE, Settings(devices="gpu:0")])
    def test_is_refused_where_it_was_asked_for(self, settings):
        with pytest.raises(BadSettings, match="gpu:0: the driver shows it, but this TensorFlow does not"):
            serve.place(settings, ["0"], lambda: False)

    def test_is_not_asked_for_where_no_gpu_computes(self):
        assert serve.place(Settings(devices="cpu:1"), ["0"], pytest.fail) == [Device("cpu:1")]
        assert serve.place(Settings(placement="worker"), ["0"], pytest.fail) == []

    def test_and_one_it_sees_is_used(self):
        assert serve.place(Settings(), ["0"], lambda: True) == [Device("gpu:0", "0")]


def test_tensorflow_is_asked_in_a_process_of_its_own():
    assert isinstance(serve.tensorflow_sees_a_gpu(), bool)


def test_without_devices_gunicorn_starts_no_process_for_them():
    assert serve.device_processes(Settings(), []) == {}


@pytest.mark.parametrize(
    ("standby", "name", "processes"),
    [("auto", "gpu:0", 2), ("auto", "cpu:0", 1), ("on", "cpu:0", 2), ("off", "gpu:0", 1)],
)
def test_a_gpu_has_a_process_that_stands_by_unless_told_otherwise(standby, name, processes):
    assert serve.device_processes(Settings(standby=standby), [Device(name)])["dirty_workers"] == processes


def test_devices_need_the_command_that_starts_their_processes():
    with pytest.raises(BadSettings, match="python -m service serve"):
        placement.sockets(Settings(placement="device", devices="cpu"), {})
    assert placement.sockets(Settings(), {}) == {}


def test_what_auto_stands_for_is_what_the_workers_hear():
    assert placement.placed(Settings(), []) == "worker"
    assert placement.placed(Settings(), [Device("cpu:0")]) == "device"
    assert placement.placed(Settings(fleet="a:8500"), []) == "tf_serving"
