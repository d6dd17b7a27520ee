"""Clients nobody here wrote, as tests/service/test_clients.py runs them: in .venv-clients, against a real server.

The server has four models, all made in tests/service/artifacts.py: simple, toy, half and echo.
"""

import numpy as np

FIRST = np.arange(32, dtype=np.int32).reshape(2, 16)
SECOND = np.full((2, 16), 7, np.int32)
"""What `simple` adds and subtracts."""

NUMBERS = np.array([[0.5, -1, 2]], np.float32)
TEXTS = np.array(["The cat sat."], object)
IDS = np.array([[2, 3, 4]], np.int32)
"""What `toy` reads: numbers, and words as text or as ids."""

DATATYPES = {"i": "INT32", "f": "FP32", "O": "BYTES"}
