"""The state of one HTTP request: its id, its clock, its deadline, its connection, its log notes."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from bgremove.deadline import Deadline
from bgremove.serving.connection import Connection

REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class RequestContext:
    """The state of one request.

    ``started`` is a time of the monotonic clock, in seconds. ``reading`` is the deadline for
    reading the body, ``deadline`` the deadline for the work. ``notes`` are the fields that views
    add to the request's line in the access log.
    """

    request_id: str
    started: float
    reading: Deadline
    deadline: Deadline
    connection: Connection
    notes: dict[str, Any] = field(default_factory=dict)

    def start_work(self) -> None:
        """Start the deadline for the work, after the body has been read."""
        self.deadline = Deadline.after(self.deadline.timeout_s, self.deadline.is_abandoned)

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the request began."""
        return round((time.monotonic() - self.started) * 1000)


def new_request_id(offered: str | None) -> str:
    """Return the client's id if it is well formed, else a new UUID."""
    if offered is not None and REQUEST_ID_PATTERN.fullmatch(offered):
        return offered
    return str(uuid.uuid4())
