"""ONNX Runtime's memory for what calls compute: one arena for all models of a process.

It keeps whatever the largest batch ever took. `shrink` gives that back, for which ONNX Runtime has only an option of a
call; so there is a model to be called, the smallest there is: of one number, which it returns.
"""

import functools

import numpy as np
import onnxruntime

from service.heap import give_back

IDENTITY = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01b\x0f\n'
    b"\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
"""x (1,) float32 ─▶ y, the same, in ONNX's own format; tests/service/test_arena.py makes it anew."""
SHRINK = "memory.enable_memory_arena_shrinkage"


def options(threads: int = 1) -> onnxruntime.SessionOptions:
    """Of a session on `threads` threads, which computes in the arena."""
    share()
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = threads
    chosen.inter_op_num_threads = 1
    chosen.log_severity_level = 3
    # A pattern per shape only costs memory where every request has another length.
    chosen.enable_mem_pattern = False
    # Spinning threads would burn the cores that HTTP workers need.
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "0")
    chosen.add_session_config_entry("session.use_env_allocators", "1")
    # Weights beside the arena, which would keep what they took for ever, rounded up to the next power of two.
    chosen.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return chosen


def session(model: str | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Of a file or of its bytes."""
    return onnxruntime.InferenceSession(model, options(threads), providers=["CPUExecutionProvider"])


@functools.cache
def share() -> None:
    """One arena for all models of this process, once: each of its own would keep what its largest batch took."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, None)


def shrink() -> None:
    """Return to the system what no call computes in just now; the next takes it again, in some milliseconds."""
    asked = onnxruntime.RunOptions()
    asked.add_run_config_entry(SHRINK, "cpu:0")
    smallest().run(None, {"x": np.zeros(1, np.float32)}, asked)
    give_back()


@functools.cache
def smallest() -> onnxruntime.InferenceSession:
    """The model to shrink by."""
    return session(IDENTITY)
