"""A microservice that serves multi-input, multi-output models by name, over several dialects of HTTP."""

VERSION = "0.1.0"
"""As in pyproject.toml; a test holds them equal."""
