"""Where shares of what is counted in bins lie."""

from collections.abc import Sequence
from itertools import accumulate, pairwise


def quantile(share: float, edges: Sequence[float], counts: Sequence[float]) -> float:
    """Below which value such a share lies of what is counted between each two edges, and beyond the last.

    As Prometheus' histogram_quantile reckons: evenly spread within a bin; what lies beyond the last edge counts as that
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).

    >>> quantile(0.25, [0, 10, 20], [1, 1]), quantile(0.5, [1, 1, 3], [3, 1]), quantile(0.9, [0, 1], [1, 9])
    (5.0, 1.0, 1)
    """
    rank = share * sum(counts)
    for (lower, upper), count, below in zip(pairwise(edges), counts, accumulate(counts, initial=0.0), strict=False):
        if count and below + count >= rank:
            return lower + (upper - lower) * max(rank - below, 0.0) / count
    return edges[-1]
