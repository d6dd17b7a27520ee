"""What all tests share: TensorFlow computes in one thread, for the processes of a run already take every core.

And Hypothesis without deadlines: nothing here is timed.
"""

import contextlib
import os

for pool in ("INTRAOP", "INTEROP"):
    os.environ.setdefault(f"TF_NUM_{pool}_THREADS", "1")

with contextlib.suppress(ImportError):  # others' clients are tested where there is none
    import hypothesis

    hypothesis.settings.register_profile("untimed", deadline=None, max_examples=60)
    hypothesis.settings.load_profile("untimed")
