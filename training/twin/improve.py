"""Rewrites tried one after another, each kept for what it measurably gains."""

from collections.abc import Sequence

import onnx

from training.golden import Group
from training.twin.constants import fold_constants
from training.twin.dense import plain_dense
from training.twin.flat import keep_axes
from training.twin.fold import fold_embeddings
from training.twin.graph import Rewrite
from training.twin.ids import plain_ids
from training.twin.states import no_zeros
from training.twin.verify import TOLERANCE, largest_difference, seconds

REWRITES: Sequence[Rewrite] = (fold_constants, plain_ids, no_zeros, plain_dense, keep_axes, fold_embeddings)
SLACK = 1.05  # Times the seconds of before that a shorter graph may seem to take: a clock is not that sure.


def improve(graph: onnx.ModelProto, groups: Sequence[Group], rewrites: Sequence[Rewrite] = REWRITES) -> onnx.ModelProto:
    """The graph after every rewrite that keeps the golden answers and costs no more time."""
    for rewrite in rewrites:
        candidate = rewrite(graph)
        if candidate != graph and largest_difference(candidate, groups) <= TOLERANCE:
            before, after = seconds([graph, candidate], groups[0])
            graph = candidate if pays(graph, candidate, before, after) else graph
    return graph


def pays(before: onnx.ModelProto, after: onnx.ModelProto, seconds_before: float, seconds_after: float) -> bool:
    """Whether a rewrite is worth it: quicker, or shorter and, as far as a clock can tell, as quick."""
    shorter = len(after.graph.node) < len(before.graph.node)
    return seconds_after < seconds_before / SLACK or (shorter and seconds_after <= seconds_before * SLACK)
