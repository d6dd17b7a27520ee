"""The benchmark: this service, and other servers beside it, asked the same rows by wrk, every answer checked.

    plan ──▶ reference ──▶ servers ──▶ rounds ──▶ answers ──▶ JSON ──▶ report, plot
    what     rows, and     all that    wrk, in    each one    raw,     medians, ratios,
    is       what the      serve the   turns      compared    with     tables, pictures
    asked    SavedModel    same        (wrk.lua)              the
             says          model                              machine

python -m loadtest.bench               throughput and latency against connections      make bench, make bench-peers
python -m loadtest.bench.report        tables and pictures of what was measured before
python -m loadtest.bench.open_loop     the tail at a constant rate of arrivals
python -m loadtest.bench.neighbour     a fast model beside a slow one
python -m loadtest.bench.big           large bodies, beside a bare parse of the same
python -m loadtest.bench.start         many models in one process: seconds until ready
"""
