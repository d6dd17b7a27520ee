"""Whether what is asked and answered has moved from what the model learnt: counted by bins, compared by their PSI.

    rows of some requests ─ features ─▶ numbers and labels ─ bins ─▶ counts by the hour ─ psi ─▶ report, metrics

The bins and the training's own counts stand on the card, under `distribution`; a card without them is not watched.
"""
