"""What all tests share: TensorFlow computes in one thread, for the processes of a run already take every core."""

import os

for pool in ("INTRAOP", "INTEROP"):
    os.environ.setdefault(f"TF_NUM_{pool}_THREADS", "1")
