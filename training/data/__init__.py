"""Data providers: one module per model, named after it, each with a `TASK`. Written out, to be read."""

from training.data import profile, qa, similarity
from training.task import Task

TASKS: dict[str, Task] = {"similarity": similarity.TASK, "qa": qa.TASK, "profile": profile.TASK}
