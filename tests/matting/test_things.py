"""The thing and not its print; the thing with its openings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bgremove.datatypes import ArrayF32, DecodedImage, ImageU8
from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.matting.things import has_openings, solidity, thing_of
from bgremove.options import Options, Subject
from bgremove.pipeline import cut_out
from bgremove.settings import Settings
from bgremove.stages import Stages
from tests.support import printed


@pytest.fixture(scope="module")
def engine(weights: Path) -> Engine:
    """Return an engine with the real networks."""
    return build_engine(Settings(weights_dir=weights))


def cut(engine: Engine, bgr: ImageU8, subject: Subject) -> ArrayF32:
    """Return the alpha of a picture's subject."""
    picture, stages = DecodedImage(bgr), Stages(Deadline.after(60))
    with engine.room.claim() as claim:
        return cut_out(picture, Options(subject=subject), engine, stages, claim).cutout.alpha


@pytest.mark.parametrize(
    ("name", "print_", "ground"),
    [
        ("book", "face", "gravel"),
        ("poster", "cat", "brick"),
        ("mug", "face", "brick"),
        ("shirt", "face", "studio"),
    ],
)
def test_a_product_is_kept_whole_around_what_is_printed_on_it(
    engine: Engine, name: str, print_: str, ground: str
) -> None:
    picture = {"face": printed.face, "cat": printed.cat}[print_]()
    bgr, mask = thing = printed.THINGS[name](picture)
    alpha = cut(engine, printed.on(ground, thing), Subject.PRODUCT)
    assert printed.iou(alpha, mask) > 0.95
    assert bgr.shape[:2] == alpha.shape


@pytest.mark.parametrize("subject", [Subject.PRODUCT, Subject.UNIVERSAL])
def test_ground_is_seen_through_the_spokes_of_a_wheel(engine: Engine, subject: Subject) -> None:
    wheel = printed.wheel()
    alpha = cut(engine, printed.on("gravel", wheel), subject)
    assert printed.iou(alpha, wheel[1]) > 0.8


def maps(mask: ImageU8, part: ImageU8) -> tuple[ArrayF32, ArrayF32]:
    """Return two masks as maps of two sizes."""
    whole = cv2.resize(mask, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = cv2.resize(part, (640, 640), interpolation=cv2.INTER_AREA).astype(np.float32)
    return whole / np.float32(255), small / np.float32(255)


def box(left: int, top: int, width: int, height: int) -> ImageU8:
    mask = np.zeros((600, 800), np.uint8)
    mask[top : top + height, left : left + width] = 255
    return mask


def test_the_larger_solid_map_is_the_thing_whichever_comes_first() -> None:
    cover, print_ = maps(box(200, 100, 400, 400), box(300, 200, 200, 200))
    plain = np.full((60, 80, 3), 90, np.uint8)
    assert thing_of([cover, print_], plain) is cover
    assert thing_of([print_, cover], plain) is cover
    assert thing_of([print_, print_, cover], plain) is cover


def test_a_cover_little_larger_than_its_print_differs_in_colour_from_the_ground() -> None:
    cover, print_ = maps(box(200, 100, 400, 400), box(220, 120, 360, 360))
    painted = np.full((600, 800, 3), 90, np.uint8)
    assert thing_of([cover, print_], painted) is None
    painted[100:500, 200:600] = (30, 30, 200)
    assert thing_of([cover, print_], painted) is cover


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        (box(0, 100, 400, 400), box(100, 200, 200, 200)),  # cut off by the border
        (box(200, 100, 400, 400), box(210, 110, 380, 380)),  # hardly larger
        (box(200, 100, 200, 400), box(300, 200, 300, 200)),  # beside each other
        (box(200, 100, 400, 400), np.zeros((600, 800), np.uint8)),
        (np.zeros((600, 800), np.uint8), np.zeros((600, 800), np.uint8)),
    ],
)
def test_other_pairs_hold_no_thing(whole: ImageU8, part: ImageU8) -> None:
    assert thing_of(maps(whole, part), np.full((60, 80, 3), 90, np.uint8)) is None


def test_an_uncertain_larger_map_is_no_thing() -> None:
    cover, print_ = maps(box(200, 100, 400, 400), box(300, 200, 200, 200))
    unsure = cover * np.float32(0.7)
    assert thing_of([unsure, print_], np.full((60, 80, 3), 90, np.uint8)) is None


def test_openings_are_those_that_have_the_colours_of_the_ground() -> None:
    bars = printed.wheel()[1]
    filled = np.zeros_like(bars)
    cv2.circle(filled, (400, 300), 237, 255, -1)
    whole, fine = maps(filled, bars)
    assert has_openings(fine, whole, printed.on("brick", printed.wheel()))
    disc = np.full((*bars.shape, 3), 200, np.uint8), filled
    painted = printed.on("brick", disc)
    painted[bars > 127] = 30
    assert not has_openings(fine, whole, painted)
    assert not has_openings(whole, fine, painted)


def test_solidity_is_the_share_of_the_hull() -> None:
    wheel, _ = maps(printed.wheel()[1], printed.wheel()[1])
    assert solidity(np.ones((9, 9), np.float32)) == 1
    assert solidity(np.zeros((9, 9), np.float32)) == 0
    assert solidity(wheel) < 0.4
