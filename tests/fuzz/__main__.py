"""Feed damaged input to each boundary that reads untrusted bytes, and report what breaks it.

    python -m tests.fuzz --seconds 600 --seed 1 --corpus DIR

The targets are pictures, forms, keys, manifests and channel (a decoder's answers). A target breaks
if it raises anything but its documented error, or exceeds a bound. Such a finding is kept in the
folder of findings, and the program exits with 1. The same seed gives the same input.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tests.fuzz import channel, pictures, texts
from tests.fuzz.mutate import corpus_seeds, mutated, own_seeds

Try = Callable[[bytes], str]
Target = tuple[Callable[[], list[bytes]], Callable[[], AbstractContextManager[Try]]]
TARGETS: dict[str, Target] = {
    "pictures": (lambda: list(own_seeds()), pictures.decoders),
    "forms": (texts.form_seeds, lambda: nullcontext(texts.try_form)),
    "keys": (texts.key_seeds, lambda: nullcontext(texts.try_keys)),
    "manifests": (texts.manifest_seeds, texts.manifests),
    "channel": (channel.seeds, channel.workers),
}
PICTURES_SHARE = 0.6  # of the time; the others share the rest


def cases(seeds: list[bytes], seed: int) -> Iterator[bytes]:
    """Yield the seeds themselves and then damaged ones, without end."""
    yield from seeds
    rng = random.Random(seed)
    while True:
        yield mutated(rng.choice(seeds), seeds, rng)


def outcome_of(tried: Try, data: bytes) -> str:
    """Return what became of a case; findings begin with ``finding``."""
    try:
        return tried(data)
    except Exception:  # anything else than a domain error is a finding
        return "finding: " + traceback.format_exc()


def run(name: str, more_seeds: list[bytes], seed: int, end: float, keep: Path) -> Counter[str]:
    """Try cases of a target until ``end`` of the monotonic clock; keep the findings."""
    seeds_of, opened = TARGETS[name]
    counts: Counter[str] = Counter()
    with opened() as tried:
        for data in itertools.takewhile(
            lambda _: time.monotonic() < end, cases(seeds_of() + more_seeds, seed)
        ):
            outcome = outcome_of(tried, data)
            counts[outcome.partition(":")[0]] += 1
            if outcome.startswith("finding"):
                keep.mkdir(parents=True, exist_ok=True)
                kept = keep / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
                kept.write_bytes(data)
                print(f"{kept}: {outcome}", flush=True)
    return counts


def main() -> int:
    """Run for a while; return 1 if there are findings."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="in all (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default 1)")
    parser.add_argument("--corpus", type=Path, help="a folder of more pictures to start from")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder of findings")
    parser.add_argument("--target", choices=TARGETS, action="append", help="all unless given")
    options = parser.parse_args()
    names = options.target or list(TARGETS)
    shares = {name: PICTURES_SHARE if name == "pictures" else 0.1 for name in names}
    found = 0
    for name in names:
        more = list(corpus_seeds(options.corpus)) if options.corpus and name == "pictures" else []
        end = time.monotonic() + options.seconds * shares[name] / sum(shares.values())
        counts = run(name, more, options.seed, end, options.keep)
        print(f"{name}, seed {options.seed}: {counts.total():,} cases:", dict(counts), flush=True)
        found += counts["finding"]
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
