"""What a process has on accelerators: of a worker that computes itself, or of a device's own process."""

from collections.abc import Iterable

from service.engines.base import Engine
from service.metrics.families import DEVICE_MEMORY


def tell_memory(engines: Iterable[Engine]) -> None:
    """Write the bytes on each device; all engines of a process see the same of one."""
    for device, kinds in {engine.device: engine.memory() for engine in engines}.items():
        for kind, size in kinds.items():
            DEVICE_MEMORY.labels(device, kind).set(size)
