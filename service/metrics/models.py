"""What every worker knows alike, read when it is asked for: nothing is left of a version that is served no more."""

import platform
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service import VERSION
from service.metrics.families import MODEL
from service.versions.catalog import Catalog


class Models(Collector):
    """The versions of a catalog, and the service itself."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def collect(self) -> Iterator[Metric]:
        service = GaugeMetricFamily("manifold_info", "The service.", labels=["version", "python"])
        service.add_metric([VERSION, platform.python_version()], 1)
        info = GaugeMetricFamily(
            "manifold_model_info", "Versions, and what computes them.", labels=[*MODEL, "engine", "device", "state"]
        )
        seconds = GaugeMetricFamily(
            "manifold_load_seconds", "Seconds until a version was loaded, checked and warm.", labels=MODEL
        )
        for served in self._catalog.served():
            handle, label = served.handle, [served.version.model, str(served.version.number)]
            engine = [handle.engine.name, handle.engine.device] if handle is not None else ["", ""]
            info.add_metric([*label, *engine, served.state.value], 1)
            if handle is not None:
                seconds.add_metric(label, handle.load_seconds)
        yield from (service, info, seconds)
