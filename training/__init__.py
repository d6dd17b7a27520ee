"""Data, fitting, judging and exporting of the models."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # as in the service
