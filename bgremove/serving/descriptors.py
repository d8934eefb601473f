"""The number of connections of a worker: below its file descriptors, above its threads.

A worker that accepts until no descriptor is free cannot read a model, start a decoder or write a
count. So the limit of open files is raised as far as allowed, and some descriptors are reserved.
"""

from __future__ import annotations

import resource

from bgremove.errors import SettingsError
from bgremove.serving.lingering import AT_ONCE

MOST = 1000  # connections of a worker; gunicorn's default
OWN = 128  # listener, poller, log, counts, models; an idle worker has 23 open
A_PLACE = 8  # a decoder's channel and the memory files of its picture, times two


def connections_for(places: int, threads: int) -> int:
    """Raise this process's limit of open files and return the connections it allows.

    Raises:
        SettingsError: The limit allows fewer than two connections for each thread.

    """
    kept_back = AT_ONCE + OWN + A_PLACE * places
    limit = _raised_to(MOST + kept_back)
    connections = min(MOST, limit - kept_back)
    if connections < 2 * threads:
        needed = kept_back + 2 * threads
        raise SettingsError(
            (
                f"The limit of open files is {limit}; {places} places and {threads} threads need "
                f"{needed} (ulimit -n, LimitNOFILE=)",
            )
        )
    return connections


def _raised_to(wanted: int) -> int:
    """Raise the soft limit of open files to ``wanted`` or the hard limit; return the result."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised
