"""Return freed memory to the system, which glibc would otherwise keep.

glibc raises its threshold for separately mapped blocks up to 32 MiB when it meets large blocks, and
then keeps freed pictures in the heap of each thread. With fixed thresholds a server uses 540 MB
after four clients instead of 880, for 4 % of its throughput (2 cores, up to 7 megapixels).
"""

from __future__ import annotations

import ctypes

MIB = 1024 * 1024
# The parameters of mallopt in glibc's malloc.h, and their values.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
PARAMETERS = {M_TRIM_THRESHOLD: 16 * MIB, M_MMAP_THRESHOLD: 4 * MIB, M_ARENA_MAX: 2}


def return_freed_memory() -> bool:
    """Fix malloc's thresholds in this process; False where the C library is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(parameter, value) == 1 for parameter, value in PARAMETERS.items())
