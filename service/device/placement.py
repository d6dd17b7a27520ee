"""Which devices there are, and what computes where. Pure but for the two functions that look at this machine."""

import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.settings import BadSettings, Settings

NVIDIA = Path("/proc/driver/nvidia/gpus")
"""A folder per GPU that the NVIDIA driver shows; its file `information` has the GPU's UUID."""
UUID = re.compile(r"^GPU UUID:\s*(\S+)", re.MULTILINE)
MASK = "CUDA_VISIBLE_DEVICES"
NO_GPU = "-1"
"""The value of MASK that hides every GPU."""


@dataclass(frozen=True)
class Device:
    """One device: its name, "gpu:0" or "cpu:1", and the CUDA_VISIBLE_DEVICES under which its process sees no other."""

    name: str
    mask: str = NO_GPU


def gpus(folder: Path = NVIDIA) -> list[str]:
    """The UUIDs of this machine's GPUs, without loading TensorFlow to ask; "" where a GPU's file has none."""
    found = [UUID.search(file.read_text()) for file in sorted(folder.glob("*/information"))]
    return [match[1] if match else "" for match in found]


def visible_here() -> list[str]:
    """The GPUs that this process may use, as far as driver and environment tell; as `visible` says them."""
    return visible(gpus(), os.environ.get(MASK))


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed, without loading it to ask."""
    return importlib.util.find_spec("tensorflow") is not None


def visible(uuids: Sequence[str], mask: str | None) -> list[str]:
    """What CUDA_VISIBLE_DEVICES leaves of these GPUs, each as the value that leaves it alone.

    The CUDA programming guide, "CUDA environment variables": entries are numbers, beginnings of a UUID, or MIG
    instances; the first that names no GPU ends the list. Without a driver nothing is visible.

    >>> visible(["GPU-ab1", "GPU-cd2"], None), visible(["GPU-ab1", "GPU-cd2"], "1,-1,0")
    (['0', '1'], ['1'])
    >>> visible(["GPU-ab1", "GPU-cd2"], "GPU-cd,MIG-77"), visible(["GPU-ab1"], "")
    (['GPU-cd', 'MIG-77'], [])
    """
    if mask is None or not uuids:
        return [str(number) for number in range(len(uuids))]
    left: list[str] = []
    for entry in map(str.strip, mask.split(",")):
        numbered = entry.isdecimal() and int(entry) < len(uuids)
        named = entry.startswith("GPU-") and sum(uuid.startswith(entry) for uuid in uuids) == 1
        if not (numbered or named or entry.startswith("MIG-")):
            break
        left.append(entry)
    return left


def place(settings: Settings, masks: Sequence[str], tensorflow: bool) -> list[Device]:
    """The devices that shall have a process each; none where every HTTP worker computes for itself. BadSettings.

    `masks` is what `visible` says, `tensorflow` whether that is installed. Every model is on every device.

    >>> place(Settings(), ["0", "1"], tensorflow=True)
    [Device(name='gpu:0', mask='0'), Device(name='gpu:1', mask='1')]
    >>> place(Settings(), [], tensorflow=True), place(Settings(devices="cpu"), [], tensorflow=True)
    ([], [Device(name='cpu:0', mask='-1')])
    """
    named = settings.device_names
    if settings.fleet:
        return []
    if settings.placement == "worker":
        if named:
            raise BadSettings("MANIFOLD_DEVICES is for MANIFOLD_PLACEMENT=device, not worker")
        return []
    wanted = settings.placement == "device" or bool(named)
    if not wanted and (settings.engine == "onnx" or not masks or not tensorflow):
        return []
    if settings.engine == "onnx":
        raise BadSettings("MANIFOLD_ENGINE=onnx computes in the HTTP workers: devices take SavedModels")
    if not tensorflow:
        raise BadSettings("devices need TensorFlow, which is not installed here (deploy/requirements/full.txt)")
    return [device(name, masks) for name in named or all_gpus(masks)]


def placed(settings: Settings, devices: Sequence[Device]) -> str:
    """The placement that `auto` stands for."""
    if settings.fleet:
        return "tf_serving"
    return "device" if devices else "worker"


def all_gpus(masks: Sequence[str]) -> list[str]:
    """The names of all visible GPUs; BadSettings if there are none."""
    if not masks:
        raise BadSettings("MANIFOLD_PLACEMENT=device: no GPU is visible here; MANIFOLD_DEVICES=cpu tries it without")
    return [f"gpu:{number}" for number in range(len(masks))]


def device(name: str, masks: Sequence[str]) -> Device:
    """A device of that name; BadSettings if it is a GPU that is not visible."""
    kind, number = name.split(":")
    if kind == "cpu":
        return Device(name)
    if int(number) >= len(masks):
        raise BadSettings(f"MANIFOLD_DEVICES: {name} is not visible here, only {len(masks)} GPUs are")
    return Device(name, masks[int(number)])


def folder(environment: Mapping[str, str]) -> Path:
    """Where the processes of devices listen, in the server's own temporary folder; BadSettings where there is none."""
    if "PROMETHEUS_MULTIPROC_DIR" not in environment:
        raise BadSettings("MANIFOLD_PLACEMENT=device works under `python -m service serve` only")
    return Path(environment["PROMETHEUS_MULTIPROC_DIR"]) / "devices"


def sockets(settings: Settings, environment: Mapping[str, str]) -> dict[str, Path]:
    """Where the processes of the settings' devices listen, by the devices' names; {} under placement `worker`."""
    if settings.placement != "device":
        return {}
    return {name: socket_of(folder(environment), name) for name in settings.device_names}


def lock_of(folder: Path, name: str) -> Path:
    """The file whose lock says that a device has a process; it holds its id."""
    return socket_of(folder, name).with_suffix(".pid")


def serves_of(folder: Path, name: str) -> Path:
    """The file that lists the models a device has, one a line."""
    return socket_of(folder, name).with_suffix(".serves")


def socket_of(folder: Path, name: str) -> Path:
    """Where the process of a device listens.

    >>> socket_of(Path("/tmp/x"), "gpu:0").as_posix()
    '/tmp/x/gpu-0.sock'
    """
    return folder / f"{name.replace(':', '-')}.sock"
