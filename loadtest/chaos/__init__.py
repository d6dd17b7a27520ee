"""Chaos: clients that never stop, faults one after another, and a checker that knows every right answer.

    oracle ──▶ questions ──▶ clients ──▶ the service ◀── faults ◀── the schedule, drawn by a seed
    another    with their        │       of real models     │
    process    answers           ▼                          ▼ what clients may see meanwhile
                               checker ◀────────────────── excuses ──▶ report, exit status

python -m loadtest.chaos --store STORE      make chaos
"""
