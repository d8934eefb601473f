"""The moment by which a request must be answered, on the monotonic clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bgremove.errors import DeadlineExceededError


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment in the future: ``at`` is in seconds of ``time.monotonic``."""

    at: float
    timeout_s: float

    @classmethod
    def after(cls, timeout_s: float) -> Deadline:
        """Return the deadline ``timeout_s`` seconds from now."""
        return cls(time.monotonic() + timeout_s, timeout_s)

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at - time.monotonic())

    def check(self, step: str) -> None:
        """Raise DeadlineExceededError if the moment has passed; ``step`` goes to the log."""
        if self.remaining_s <= 0:
            raise self.exceeded(step)

    def exceeded(self, step: str) -> DeadlineExceededError:
        """Make the error that says the deadline passed during ``step``."""
        return DeadlineExceededError(
            f"Processing took longer than the limit of {self.timeout_s:g} seconds",
            private=f"deadline passed in {step}",
        )
