"""A microservice that serves multi-input, multi-output models by name, over several dialects of HTTP."""

import os

VERSION = "0.1.0"
"""As in pyproject.toml; a test holds them equal."""

# From 1.29 on ONNX Runtime tells its maker which models are loaded, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
