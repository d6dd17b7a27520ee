"""`python -m service predict`: the service's answers in a terminal, and files of rows scored with the same engine.

    flags ──▶ values ─────────────────────▶ handle.predict ─▶ shown      one row
    file ───▶ source ─▶ values (threads) ──▶ handle.predict ─▶ written    many, a few chunks of them at once

No HTTP: neither Flask nor gunicorn is imported, and TensorFlow only by a model that has no twin.
"""
