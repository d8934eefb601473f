"""Pictures against the probe and the decoders.

Each is refused with an ImageError or decoded to the size that its header declares, within a bound
of processor time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError, ImageError
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.imaging.probe import Limits, probe
from tests.support import pictures as made

MAX_PROBE_S = 5.0  # of a processor; milliseconds are usual
DEADLINE_S = 60.0  # legitimate pictures at the limit of pixels take up to 3 s on a busy machine


@contextmanager
def decoders() -> Iterator[Callable[[bytes], str]]:
    """Yield the function that tries a picture."""
    limits = made.limits()
    with DecoderPool(limits, size=1) as pool:
        yield lambda data: tried(data, limits, pool)


def tried(data: bytes, limits: Limits, pool: DecoderPool) -> str:
    """Return what became of a picture: ``decoded``, ``refused`` early or late, or a finding."""
    start = time.process_time()
    try:
        header = probe(data, limits)
    except ImageError:
        header = None
    if (took := time.process_time() - start) > MAX_PROBE_S:
        return f"finding: probing took {took:.1f} s"
    if header is None:
        return "refused by probe"
    try:
        image = pool.decode(data, header, Deadline.after(DEADLINE_S))
    except ImageError as error:
        if error.private is not None and "process ended" in error.private:
            return "refused after its decoder crashed"
        return "refused by decoder"
    except BgremoveError as error:
        return f"finding: {type(error).__name__}: {error.message} ({error.private})"
    size = (header.width, header.height)
    if image.size != (size[::-1] if header.orientation >= 5 else size):
        return f"finding: {image.size} pixels, declared {size}"
    return "decoded"
