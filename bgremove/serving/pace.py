"""The pace of this machine: how long pictures take, compared with their estimates."""

from __future__ import annotations

FIRST = 1.5  # before the first picture: half again as slow as the machine of the estimates
FIRST_WEIGHT_S = 1.0  # seconds of estimated work that the first value counts as
NEWEST = 0.25  # weight of the newest picture
MOST = 4.0  # times the expectation that a picture counts at most; one that hangs tells nothing


class Pace:
    """The ratio of real to estimated seconds over recent pictures. Its owner does the locking.

    The sums are averaged, not the ratios, so that a picture counts by its work.
    """

    def __init__(self) -> None:
        self._took_s = FIRST * FIRST_WEIGHT_S
        self._estimated_s = FIRST_WEIGHT_S

    def expected_s(self, estimated_s: float) -> float:
        """Return the seconds that estimated work will take on this machine."""
        return estimated_s * self._took_s / self._estimated_s

    def learn(self, estimated_s: float, took_s: float) -> None:
        """Count a finished picture; one without an estimate is not counted."""
        if estimated_s <= 0:
            return
        took_s = min(took_s, MOST * self.expected_s(estimated_s))
        self._took_s += NEWEST * (took_s - self._took_s)
        self._estimated_s += NEWEST * (estimated_s - self._estimated_s)
