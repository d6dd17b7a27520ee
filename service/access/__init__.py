"""Who may ask for what: API keys, what each may do, how much at once, and a record of what was changed.

    MANIFOLD_KEYS ─▶ keys.py: entries, by their hash ─▶ keyring.py: as the file is now ─▶ guard.py: admit, or refuse

Nothing here knows HTTP or gRPC: dialects/guarded.py and grpc/calls.py bring what a request shows.
"""
