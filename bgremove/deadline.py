"""The deadline of a request, on the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bgremove.errors import ClientGoneError, DeadlineExceededError


def _is_never_abandoned() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment in the future: ``at`` is in seconds of ``time.monotonic``.

    ``is_abandoned`` returns True when the client is gone; the request then ends at the next
    `check`. ``work_s`` is the time that the work is expected to take, 0 where it is unknown; a
    picture that has waited until less is left does not start.
    """

    at: float
    timeout_s: float
    is_abandoned: Callable[[], bool] = field(default=_is_never_abandoned, repr=False, compare=False)
    work_s: float = 0.0

    @classmethod
    def after(
        cls, timeout_s: float, is_abandoned: Callable[[], bool] = _is_never_abandoned
    ) -> Deadline:
        """Return the deadline ``timeout_s`` seconds from now."""
        return cls(time.monotonic() + timeout_s, timeout_s, is_abandoned)

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at - time.monotonic())

    def check(self, step: str) -> None:
        """Raise DeadlineExceededError after the deadline, ClientGoneError if the client is gone.

        ``step`` goes to the log.
        """
        if self.remaining_s <= 0:
            raise self.exceeded(step)
        if self.is_abandoned():
            raise ClientGoneError(step)

    def exceeded(self, step: str) -> DeadlineExceededError:
        """Make the error for a deadline that passed during ``step``."""
        return DeadlineExceededError(
            f"Processing took longer than the limit of {self.timeout_s:g} seconds",
            private=f"deadline passed in {step}",
        )
