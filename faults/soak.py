"""A long mix of good, damaged and foreign pictures: no growth of memory and no 5xx."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.stats import percentile
from faults.clients import Seen, ask, seconds_of
from faults.finding import Finding
from faults.gone import MB, memory_of, temporary_files
from faults.pictures import large_picture
from faults.stand import Ground, is_idle, stand, worker_of
from harness.forms import file, form, text
from harness.pictures import ball, encoded
from harness.processes import descriptors
from harness.waiting import until
from tests.fuzz.mutate import mutated, own_seeds

SHARES = {"good": 70, "damaged": 20, "foreign": 10}  # percent
LET_IN = {"200", "400 VALIDATION_ERROR", "400 NO_SUBJECT_DETECTED"}
FIRST = 50  # requests during which memory may grow
LOOK_EVERY = 10  # requests between measurements of memory
SHORT = 200  # requests; shorter runs check no percentile
TYPES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif")
SUBJECTS, FORMATS = ("universal", "human", "product"), ("transparent", "white_bg", "mask", "crop")
MORE = 30 * MB
LARGE_EVERY = 100  # requests; one of them has 50 megapixels
MOST_BYTES = 10 * 1024 * 1024


@dataclass
class Mix:
    """Requests by kind, reproducible by seed; ``folders`` contain good and foreign pictures."""

    seed: int = 1
    good_folder: Path | None = None
    foreign_folder: Path | None = None
    _good: list[bytes] = field(default_factory=list)
    _foreign: list[bytes] = field(default_factory=list)
    _large: bytes = field(default_factory=large_picture)

    def __post_init__(self) -> None:
        sizes = [(320, 240), (640, 480), (1500, 1000), (2400, 1800), (3000, 4000)]
        self._good += [encoded(ball(*size), kind) for size in sizes for kind in (".jpg", ".png")]
        self._good.append(encoded(ball(640, 480), ".webp"))
        self._good += _files(self.good_folder)
        self._foreign += [*own_seeds(), *_files(self.foreign_folder, every=True)]

    def __iter__(self) -> Iterator[bytes]:
        chance, sent = random.Random(self.seed), 0
        while True:
            kinds = [kind for kind, share in SHARES.items() for _ in range(share // 10)]
            chance.shuffle(kinds)
            for number, kind in enumerate(kinds, start=sent):
                is_large = number % LARGE_EVERY == LARGE_EVERY - 1
                yield self._large if is_large else _form(self._picture(kind, chance), chance)
            sent += len(kinds)

    def _picture(self, kind: str, chance: random.Random) -> bytes:
        if kind == "foreign":
            return chance.choice(self._foreign)
        picture = chance.choice(self._good)
        return mutated(picture, self._good, chance) if kind == "damaged" else picture


def soak(ground: Ground, requests: int, mix: Mix, most_s: float = 1200) -> Iterator[Finding]:
    """Send the requests of a mix one after the other, up to a number of requests or seconds."""
    found = Finding("", "nothing: each gets a picture or a 400")
    memory: list[int] = []
    seen: list[Seen] = []
    with stand(ground, 1) as on:
        server = on.servers[0]
        worker = worker_of(server)
        started = time.monotonic()
        for number, body in zip(range(requests), mix, strict=False):
            seen.append(ask(on.edge.door, body))
            if number == FIRST:
                opened = descriptors(worker)
            if number >= FIRST and number % LOOK_EVERY == 0:
                memory.append(memory_of(server))
            if time.monotonic() - started > most_s:
                break
        took_s = time.monotonic() - started
        until(lambda: is_idle(server))
        found.expect(worker_of(server) == worker, "the worker is another")
        found.expect(descriptors(worker) <= opened + 2, "descriptors were left open")
        found.expect(temporary_files(on.edge) == 0, "temporary files were left behind")
        found.note(f"descriptors {opened} → {descriptors(worker)}")
    shares = ", ".join(f"{share} % {kind}" for kind, share in SHARES.items())
    found.done = f"{len(seen):,} requests in {took_s:.0f} s, one after the other: {shares}"
    found.saw(seen, expected=LET_IN)
    found.at_most_lost(0)
    _judge_memory(found, memory)
    if len(seen) >= SHORT:
        _judge_speed(ground, found, seen)
    yield found


def _judge_memory(found: Finding, memory: Sequence[int]) -> None:
    tenth = max(1, len(memory) // 10)
    first, last = median(memory[:tenth]), median(memory[-tenth:])
    words = f"resident {first / MB:.0f} → {last / MB:.0f} MB, at most {max(memory) / MB:.0f}"
    found.note(f"{words} (medians of the first and last tenth after {FIRST} requests)")
    found.expect(last - first <= max(MORE, 0.05 * first), "resident memory grew")


def _judge_speed(ground: Ground, found: Finding, seen: Sequence[Seen]) -> None:
    tenth = len(seen) // 10
    first, last = (percentile(seconds_of(part), 95) for part in (seen[:tenth], seen[-tenth:]))
    found.note(f"p95 of the first tenth {first * 1000:.0f} ms, of the last {last * 1000:.0f} ms")
    if ground.strict:
        found.expect(last <= 1.2 * first, "the last tenth was slower than the first")


def _form(picture: bytes, chance: random.Random) -> bytes:
    fields = [("subject", chance.choice(SUBJECTS)), ("output_format", chance.choice(FORMATS))]
    return form(file("image", picture), *[text(name, value) for name, value in fields])


def _files(folder: Path | None, *, every: bool = False) -> list[bytes]:
    if folder is None:
        return []
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not every:  # skip masks, which some folders have beside their pictures
        paths = [path for path in paths if path.suffix.lower() in TYPES]
        paths = [path for path in paths if "masks" not in path.parts]
    return [path.read_bytes() for path in paths if path.stat().st_size <= MOST_BYTES]
