"""What a process has on accelerators: of a worker that computes itself, or of a device's own process."""

import logging
from collections.abc import Iterable, Mapping

from service.engines.base import Engine
from service.metrics.families import DEVICE_MEMORY

LOG = logging.getLogger("manifold.metrics")


def tell_memory(engines: Iterable[Engine]) -> None:
    """Write the bytes on each device; all engines of a process see the same of one."""
    for device, kinds in {engine.device: memory(engine) for engine in engines}.items():
        for kind, size in kinds.items():
            DEVICE_MEMORY.labels(device, kind).set(size)


def memory(engine: Engine) -> Mapping[str, int]:
    """The bytes on its device; none where that cannot be told, which is no reason to stop whoever looks at it."""
    try:
        return engine.memory()
    except Exception as error:
        LOG.debug("the memory of %s cannot be told: %r", engine.device, error)
        return {}
