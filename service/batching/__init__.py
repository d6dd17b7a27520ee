"""Rows on their way to the engine: who is let in, who leaves together, what a call costs and may take."""
