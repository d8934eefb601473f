"""Sandbox for a process that decodes untrusted bytes in native code.

It uses seccomp filters, Landlock and rlimits, which only Linux has. On other systems, or with a
kernel built without them, the process runs without these protections, and `lacking` reports it.
"""

from __future__ import annotations

import sys

from bgremove.sandbox import landlock, seccomp
from bgremove.sandbox.linux import hide_memory

__all__ = ["confine", "hide_memory", "lacking"]


def lacking() -> tuple[str, ...]:
    """Return a sentence for each protection that this system does not support."""
    if sys.platform != "linux":
        return (f"{sys.platform} has neither seccomp nor Landlock",)
    sentences = (seccomp.lacking(), landlock.lacking())
    return tuple(sentence for sentence in sentences if sentence is not None)


def confine() -> None:
    """Restrict this process to memory and standard input, without files or network.

    Import all modules before the call. The restriction cannot be undone.

    Raises:
        OSError: A supported protection could not be enabled.

    """
    if sys.platform != "linux":
        return
    hide_memory()
    if landlock.lacking() is None:
        landlock.deny_all()
    if seccomp.lacking() is None:
        seccomp.allow_only_decoding()
