"""Faults on purpose: what the service makes of them."""
