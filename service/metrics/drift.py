"""How far the rows of every version have moved, reckoned when it is asked for: each worker can add up those of all."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.drift import report
from service.metrics.families import MODEL
from service.versions.catalog import Catalog

LABELS = [*MODEL, "side", "name", "feature"]


class Drift(Collector):
    """Of the versions of a catalog that are watched."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def collect(self) -> Iterator[Metric]:
        psi = GaugeMetricFamily("manifold_drift_psi", "Population stability index, where rows suffice.", labels=LABELS)
        rows = GaugeMetricFamily("manifold_drift_rows", "Recent rows that it is of, or would be.", labels=LABELS)
        for served in self._catalog.served():
            handle = served.handle
            if handle is not None and handle.watched is not None:
                for one in report.drifts(handle.watched):
                    feature = one.feature
                    labels = [*handle.label, feature.side.removesuffix("s"), feature.name, feature.feature]
                    rows.add_metric(labels, float(one.recent.sum()))
                    if one.told:
                        psi.add_metric(labels, one.psi)
        yield from (psi, rows)
