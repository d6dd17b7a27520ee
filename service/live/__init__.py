"""What the last hour was like, of all processes of a server together, for the console's page Live.

    the files of prometheus_client ─▶ totals.py ─▶ keeper.py ─▶ samples.py ─▶ history.py ─▶ files of one sample a line
    of every process, dead or alive    so far, by model    one process, every 5 s     what came since      │
                                                                             GET /console/live/… ◀─ streams.py

No process keeps any of it in memory, and no request pays for it.
"""
