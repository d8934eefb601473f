"""Counting the codes of an LZW stream that clear its table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgremove.imaging.probe import lzw
from tests.support.pictures import lzw as packed_codes


def counted_one_by_one(packed: bytes, min_bits: int) -> int:
    bits, clear = int.from_bytes(packed, "little"), 1 << min_bits
    at = found = 0
    size, entries = min_bits + 1, clear + 1
    while at + size <= 8 * len(packed):
        code = bits >> at & (1 << size) - 1
        at += size
        if code in (clear, clear + 1):
            found += 1
            size, entries = min_bits + 1, clear + 1
            continue
        entries = min(entries + 1, 4096)
        if entries == 1 << size and size < 12:
            size += 1
    return found


@given(st.randoms(use_true_random=False), st.integers(2, 11), st.integers(0, 12_000))
def test_count_is_that_of_reading_code_by_code(random, min_bits, length):
    packed = random.randbytes(length)
    expected = counted_one_by_one(packed, min_bits)
    assert lzw.count_clears(packed, min_bits, enough=0) == min(expected, 1)
    for enough in (expected, expected - 1):
        if enough >= 0:
            assert (lzw.count_clears(packed, min_bits, enough) > enough) == (expected > enough)


@pytest.mark.parametrize("gap", [1, 15, 16, 17, 255, 256, 1023, 1024, 4095, 4096, 9000])
def test_a_clear_is_found_whatever_the_run_before_it(gap):
    # Literal zeros with the largest smallest size: every code has 12 bits.
    packed = packed_codes(([0] * gap + [1 << 11]) * 3, 12)
    assert lzw.count_clears(packed, 11, enough=1) == 2
    assert lzw.count_clears(packed, 11, enough=2) == 3


@pytest.mark.parametrize("min_bits", [0, 1, 12, 255])
def test_code_sizes_no_decoder_takes_count_nothing(min_bits):
    assert lzw.count_clears(b"\xff" * 100, min_bits, enough=0) == 0


def test_counting_stops_at_one_more_than_enough():
    packed = packed_codes([4] * 80_000, 3)
    assert lzw.count_clears(packed, 2, enough=500) == 501
