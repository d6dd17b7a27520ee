"""Tests of the service. Fakes stand at its seams (fakes.py), real but tiny models in its store (artifacts.py)."""
