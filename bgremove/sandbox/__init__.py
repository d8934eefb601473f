"""Walls round a process that reads bytes of strangers in native code.

Linux alone has them: seccomp filters, Landlock and rlimits. On other systems, and where a kernel
was built without them, the process runs all the same, and `lacking` says so.
"""

from __future__ import annotations

import sys

from bgremove.sandbox import landlock, seccomp
from bgremove.sandbox.linux import hide_memory

__all__ = ["confine", "hide_memory", "lacking"]


def lacking() -> tuple[str, ...]:
    """Return a sentence for each wall that this system cannot build."""
    if sys.platform != "linux":
        return (f"{sys.platform} has neither seccomp nor Landlock",)
    sentences = (seccomp.lacking(), landlock.lacking())
    return tuple(sentence for sentence in sentences if sentence is not None)


def confine() -> None:
    """Leave this process the memory it has and can get, and standard input: no files, no network.

    Whatever it imports must be imported before. There is no way back.

    Raises:
        OSError: A wall that the system has could not be built.

    """
    if sys.platform != "linux":
        return
    hide_memory()
    if landlock.lacking() is None:
        landlock.deny_all()
    if seccomp.lacking() is None:
        seccomp.allow_only_decoding()
