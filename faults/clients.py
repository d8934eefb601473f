"""Clients that keep sending requests during faults, and record the outcomes."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.forms import FORM_TYPE
from harness.http import PATH, Answer, Door
from harness.waiting import until

FAILURE_PAUSE_S = 0.1  # limits the rate of requests to a server that is down
PICTURES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Seen:
    """The outcome of a request: ``200``, ``502 UPSTREAM_ERROR``, or the error of its connection."""

    outcome: str
    seconds: float
    ended: float  # of time.monotonic
    is_well_formed: bool = True
    retry_after_s: float = 0.0


def ask(
    door: Door, body: bytes, headers: Mapping[str, str] | None = None, *, path: str = PATH
) -> Seen:
    """Post a form and return the outcome; a broken connection is an outcome, not an exception."""
    started = time.monotonic()
    named = {"Content-Type": FORM_TYPE, **(headers or {})}
    retry_after_s = 0.0
    try:
        answer = door.send("POST", path, body, named)
        outcome, is_well_formed = outcome_of(answer)
        retry_after_s = float(answer.headers.get("retry-after", 0))
    except (OSError, http.client.HTTPException) as fault:
        outcome, is_well_formed = f"cut ({type(fault).__name__})", True
    ended = time.monotonic()
    return Seen(outcome, ended - started, ended, is_well_formed, retry_after_s)


def outcome_of(answer: Answer) -> tuple[str, bool]:
    """Return the status with the envelope's code, and whether the body has the right form.

    Unlike `error_of`, it does not check timestamps, because one scenario shifts the clock.
    """
    kind = answer.headers.get("content-type", "none")
    if answer.status == 200:
        return "200", kind in PICTURES and len(answer.body) > 0
    try:
        envelope = json.loads(answer.body)
        code = envelope["error"]["code"]
        known = envelope["meta"]["requestId"] == answer.headers["x-request-id"]
    except (ValueError, KeyError, TypeError):
        return f"{answer.status} {kind}", False
    return f"{answer.status} {code}", known and kind == "application/json"


@dataclass
class Load:
    """Closed-loop clients: each sends its next request when the last one is answered.

    Each client waits ``pause_s`` before its next request.
    """

    door: Door
    bodies: Sequence[bytes]
    clients: int
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0.0
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> Load:
        self._enough = threading.Event()
        self._turns = itertools.cycle(self.bodies)
        self._asked_at: dict[int, float] = {}  # the unanswered request of each client
        self._threads = [threading.Thread(target=self._run) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def since(self, moment: float) -> list[Seen]:
        """Return the requests that ended after a time of ``time.monotonic``."""
        return [one for one in self.seen if one.ended >= moment]

    def until_answered(self) -> None:
        """Wait until every request that is under way now has been answered."""
        now = time.monotonic()
        until(lambda: all(at > now for at in list(self._asked_at.values())))

    @property
    def longest_s(self) -> float:
        """The longest duration of a request, in seconds."""
        return max((one.seconds for one in self.seen), default=0.0)

    def _run(self) -> None:
        client = threading.get_ident()
        while not self._enough.is_set():
            self._asked_at[client] = time.monotonic()
            one = ask(self.door, next(self._turns), self.headers)
            self.seen.append(one)
            del self._asked_at[client]
            is_served = one.outcome.startswith(("200", "400"))
            refused_s = 0.0 if is_served else max(one.retry_after_s, FAILURE_PAUSE_S)
            self._enough.wait(max(refused_s, self.pause_s))


def seconds_of(seen: Iterable[Seen], outcome: str = "200") -> list[float]:
    """Return the durations, in seconds, of the requests with an outcome."""
    return [one.seconds for one in seen if one.outcome == outcome]
