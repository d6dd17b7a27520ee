"""A model that was trained elsewhere gets all that ours have: golden rows, a twin, a card, a place in the store.

file ─ brought ─▶ SavedModel ─ rows ─▶ its answers ─ draft ─▶ card ─ artifact ─▶ store/<model>/<n> ─ told ─▶ terminal
"""
