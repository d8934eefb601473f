"""Counting the codes of an LZW stream that clear its table, without unpacking it.

Between two of those the length of every code follows from how many came before, so whole runs of
codes are cut out of the stream at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MAX_CODE_BITS = 12
RUN = 4096  # codes of a schedule; the table is full, and code lengths constant, before its end
GLANCE = 16  # codes looked at one by one first, so that many clears close together stay cheap
STEPS = (slice(GLANCE, 256), slice(256, 1024), slice(1024, RUN))  # codes looked at in one go

Codes = NDArray[np.uint32]


def count_clears(packed: bytes, min_bits: int, enough: int) -> int:
    """Count clear and end codes in a GIF's LZW data, up to one more than ``enough``.

    OpenCV takes an end code for one that clears. ``min_bits`` is the frame's smallest code size.
    0 stands for any count that cannot pass ``enough``.
    """
    if not 2 <= min_bits < MAX_CODE_BITS or len(packed) * 8 // (min_bits + 1) <= enough:
        return 0
    # The 32 bits from each byte on: a view that overlaps itself, and copies nothing.
    words: Codes = np.ndarray((len(packed),), np.dtype("<u4"), packed + bytes(3), 0, (1,))
    end = 8 * len(packed)
    clears, at = 0, _behind_clear(words, 0, min_bits)
    while at <= end and clears <= enough:
        clears += 1
        at = _behind_clear(words, at, min_bits)
    return clears


def _behind_clear(words: Codes, at: int, min_bits: int) -> int:
    """Return the bit behind the first clear or end code from bit ``at`` on; past the end if none.

    ``at`` is just behind a clear code.
    """
    clear = 1 << min_bits
    size = min_bits + 1
    while at <= 8 * words.size:
        byte, plan = at >> 3, _plan(size, at & 7)
        for start, shift, mask, end in plan.glance:
            if byte + start < words.size and int(words[byte + start]) >> shift & mask == clear:
                return 8 * byte + end
        for step in STEPS:
            starts = plan.starts[step] + byte
            np.minimum(starts, words.size - 1, out=starts)
            codes = words[starts] >> plan.shifts[step]
            hits = (codes & plan.masks[step]) == clear
            hit = int(hits.argmax())
            if hits[hit]:
                return 8 * byte + int(plan.ends[step][hit])
        at, size = 8 * byte + int(plan.ends[-1]), MAX_CODE_BITS
    return at


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where codes lie, counted from a byte: theirs, the shift and mask within, the bit behind."""

    starts: NDArray[np.int64]
    shifts: Codes
    masks: Codes
    ends: NDArray[np.int64]
    glance: tuple[tuple[int, int, int, int], ...]


@lru_cache(maxsize=8 * MAX_CODE_BITS)
def _plan(first_size: int, phase: int) -> _Plan:
    """Lay out the codes behind a clear that ends ``phase`` bits into a byte."""
    entries = (1 << first_size - 1) + 1 + np.arange(RUN)  # in the table when the code is read
    sizes = np.minimum(np.floor(np.log2(entries)).astype(np.int64) + 1, MAX_CODE_BITS)
    if first_size == MAX_CODE_BITS:
        sizes[:] = MAX_CODE_BITS
    ends = phase + np.cumsum(sizes)
    starts = ends - sizes
    # Clear and end codes differ in their lowest bit only.
    masks = ((1 << sizes) - 2).astype(np.uint32)
    shifts = (starts & 7).astype(np.uint32)
    rows = (starts >> 3, shifts, masks, ends)
    glance = tuple(zip(*(row[:GLANCE].tolist() for row in rows), strict=True))
    return _Plan(*rows, glance)
