"""Versions on disk and in memory: which are wanted, which may serve, which answers, and how all workers agree."""
