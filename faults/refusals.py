"""Answers sent before a large body is read: they reach the client, not a broken pipe."""

from __future__ import annotations

from collections.abc import Iterator

from bgremove.keys import edit
from faults.clients import Seen, outcome_of
from faults.finding import Finding
from faults.stand import Ground, Stand, stand
from harness.early import HEADS, MB, exchanged, pieces_of

SIZES = (9 * MB, 60 * MB)
FRAMINGS = ("length", "chunked")
LIMIT = 11 * MB  # about the limit of nginx, which refuses larger bodies on every path
# On a server with keys, a request without a key gets a 401 for any form.
NAMES = {"404": "404 NOT_FOUND", "405": "405 METHOD_NOT_ALLOWED", "no form": "401 UNAUTHORIZED"}


def early_answers(ground: Ground) -> Iterator[Finding]:
    """Expect 401, 404 and 405 to 9 MB and 400 to 60 MB, with Content-Length and in chunks."""
    times = ground.count(5)
    path = ground.new("keys") / "keys.txt"
    edit.add(path, "nobody's")
    with stand(ground, 1, {"BGREMOVE_API_KEYS_FILE": str(path)}) as on:
        for size in SIZES:
            cases = [(name, framing) for name in NAMES for framing in FRAMINGS]
            what = f"{size // MB} MB to 401, 404, 405, by length and chunked, {times} times each"
            found = Finding(what, "nothing: the answer arrives")
            for name, framing in cases:
                expected = NAMES[name] if size < LIMIT else "400 VALIDATION_ERROR"
                _count(found, on, pieces_of(HEADS[name][0], size, framing), times, expected)
            found.at_most_lost(0)
            yield found


def _count(found: Finding, on: Stand, pieces: list[bytes], times: int, expected: str) -> None:
    try:
        answers = exchanged(on.edge, pieces, times)
    except (OSError, AssertionError) as fault:
        found.lost += 1
        found.answers[f"cut ({type(fault).__name__})"] += 1
        return
    outcomes = [outcome_of(answer) for answer in answers]
    seen = [Seen(outcome, 0.0, 0.0, is_well_formed) for outcome, is_well_formed in outcomes]
    found.saw(seen, expected={expected})
