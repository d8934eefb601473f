"""Estimates grow with the work, and the memory of all that may happen at once fits the limit."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bgremove import cost
from bgremove.datatypes import ImageHeader, ImageType
from bgremove.options import ENCODINGS, Margin, Options, OutputFormat
from bgremove.settings import Settings
from tests.support.peaks import PICTURES
from tests.support.tiny import tiny_weights

LIMIT = Settings().max_pixels
ROOT = Path(__file__).resolve().parents[1]
OF_THREADS = 24_000_000  # bytes of the strips that two threads work on at once, at any size
SIDES = (8000, 6500)  # 52 megapixels
EVERY = [
    Options(output_format=kind, encoding=encoding, canvas=canvas)
    for kind in OutputFormat
    for encoding in ENCODINGS[kind]
    for canvas in (None, (7200, 7200))
    if canvas is None or kind in (OutputFormat.CROP, OutputFormat.WHITE_BG)
]


@pytest.mark.parametrize("kind", ImageType)
def test_the_time_grows_with_the_pixels(kind: ImageType) -> None:
    small, large = ImageHeader(kind, 640, 480), ImageHeader(kind, *SIDES)
    for options in EVERY:
        assert cost.seconds(small, options) < cost.seconds(large, options)
    assert cost.seconds(small, Options()) < 0.5


def test_a_picture_at_the_limit_fits_into_the_room_whatever_is_asked_for() -> None:
    room = cost.room_bytes(LIMIT)
    for kind, options in itertools.product(ImageType, EVERY):
        assert cost.peak_bytes(ImageHeader(kind, *SIDES), options) <= room


@pytest.fixture(scope="module")
def peaks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """Return the measured and the estimated peak of pictures, from a process of their own."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this system does not report the peak of a process's memory anew")
    if os.geteuid() != 0:
        pytest.skip("only root sees the memory of a decoder, which hides it")
    folder = tiny_weights(tmp_path_factory.mktemp("weights"))
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.peaks", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=600,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", PICTURES)
def test_no_picture_takes_more_memory_than_estimated(
    name: str, peaks: dict[str, tuple[int, int]]
) -> None:
    peak, estimate = peaks[name]
    assert peak <= estimate + OF_THREADS


def test_two_photographs_of_a_phone_fit_at_once_and_two_at_the_limit_do_not() -> None:
    room = cost.room_bytes(LIMIT)
    assert 2 * cost.peak_bytes(ImageHeader(ImageType.JPEG, 6000, 4000), Options()) <= room
    assert 2 * cost.peak_bytes(ImageHeader(ImageType.JPEG, *SIDES), Options()) > room


def test_a_mask_takes_less_than_the_whole_picture_and_a_margin_more() -> None:
    header = ImageHeader(ImageType.JPEG, *SIDES)
    whole = cost.peak_bytes(header, Options())
    assert cost.peak_bytes(header, Options(output_format=OutputFormat.MASK)) < whole
    wide = Options(output_format=OutputFormat.CROP, margin=Margin(share=0.5))
    assert cost.peak_bytes(header, wide) > whole
