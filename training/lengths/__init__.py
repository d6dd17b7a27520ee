"""Rows of different lengths share a batch of the twin, and each gets the answer it gets alone.

    text (n, t) ids ──────────────▶ the twin's graph, in which whatever mixes the steps of a row
    text/length (n,) int32 ──▶ mask   leaves out those beyond its length

probe.py finds out which axis of which tensor is time, rewrite.py puts the lengths to work there, verify.py asks whether
every row is answered as alone. The graph keeps its lengths only if it is.
"""
