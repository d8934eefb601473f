"""The capacity of a worker: its requests with a body, its memory, and its connections.

Bodies leave some threads for health checks. Connections stay below the file descriptors: a worker
that accepts until no descriptor is free cannot read a model, start a decoder or write a count. So
the limit of open files is raised as far as allowed, and some descriptors are reserved.
"""

from __future__ import annotations

import resource
import threading

from bgremove import cost
from bgremove.errors import OverloadedError, SettingsError
from bgremove.serving.lingering import AT_ONCE
from bgremove.settings import Settings

READERS = 8  # bodies read at once, besides those that hold a place or wait for one
SPARE_THREADS = 6  # for requests without a body, refusals and closing connections
MOST = 1000  # connections of a worker; gunicorn's default
OWN = 128  # listener, poller, log, counts, models; an idle worker has 23 open
A_PLACE = 8  # a decoder's channel and the memory files of its picture, times two
# Bytes of a worker at rest that has run every network, with gunicorn's master and the decoders:
# 430 MB in int8 when all are loaded, up to 597 MB seen after some minutes of large pictures.
AT_REST_BYTES = 640_000_000
FORM_BYTES = 1 << 20  # of a body, besides its picture


class Bodies:
    """Counts requests with a body, from their headers until their answer is sent."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()  # guards the fields below
        self.at_work = 0
        self.finished = 0  # in all

    def enter(self) -> bool:
        """Count one more request; return False if the limit is reached."""
        with self._lock:
            if self.at_work >= self._at_most:
                return False
            self.at_work += 1
            return True

    def leave(self) -> None:
        """Count an admitted request as finished."""
        with self._lock:
            self.at_work -= 1
            self.finished += 1

    def refusal(self) -> OverloadedError:
        """Make the error for a request that was not admitted."""
        return OverloadedError(
            f"All {self._at_most} uploads that this server takes at once are under way"
        )


def memory_bytes(settings: Settings) -> int:
    """Return the most memory that a service with one worker takes, with int8 networks.

    It is the sum of the server at rest, the uploads of all requests with a body, and the room for
    pictures in progress and for answers that their clients have not read yet.
    """
    bodies = settings.places + settings.queue + READERS
    uploads = bodies * (settings.max_upload_bytes + FORM_BYTES)
    return AT_REST_BYTES + uploads + cost.room_bytes(settings.max_pixels)


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
