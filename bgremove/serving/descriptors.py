"""How many connections a worker takes: fewer than it has descriptors for, more than threads.

A worker that accepts until it has no descriptor left can read no model, start no decoder and
write no count. So the limit of open files is raised as far as it may be, and some are kept back.
"""

from __future__ import annotations

import resource

from bgremove.errors import SettingsError
from bgremove.serving.lingering import AT_ONCE

MOST = 1000  # connections of a worker, gunicorn's own default
OWN = 128  # listener, poller, log, counts, models; a worker at rest has 23
A_PLACE = 8  # a decoder's channel, the memory files of its picture, and as much again


def connections_for(places: int, threads: int) -> int:
    """Raise this process's limit towards what is needed; return the connections it leaves.

    Raises SettingsError where that would be fewer than two for each thread.
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
    """Raise the soft limit of open files to ``wanted`` or the hard limit; return what it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised
