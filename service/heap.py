"""The C library's memory of this process: in few pieces, and given back when a model goes. Of glibc's alone."""

import ctypes

LIBRARY = ctypes.CDLL(None)
ARENA_MAX = -8
"""M_ARENA_MAX of glibc's <malloc.h>."""
ARENAS = 2
"""Every thread that loads a model would take one of eight per core, and leave pieces of the model that was in it."""


def few_arenas() -> None:
    """Share so few arenas among all threads from now on; before the first of them starts."""
    choose = getattr(LIBRARY, "mallopt", None)
    if choose is not None:
        choose(ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return to the system what is free: the C library keeps it, in pieces that the next model may not fit into."""
    trim = getattr(LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)
