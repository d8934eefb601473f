"""The thing and not its print; the thing with its openings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bgremove.datatypes import ArrayF32, DecodedImage, ImageU8
from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.matting.things import has_openings, may_be_filled, thing_of
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


def ball(radius: int, hole: int = 0) -> ImageU8:
    """Return the mask of a disc, with a round hole."""
    mask = np.zeros((600, 800), np.uint8)
    cv2.circle(mask, (400, 300), radius, 255, -1, cv2.LINE_AA)
    cv2.circle(mask, (400, 300), hole, 0, -1 if hole else 1, cv2.LINE_AA)
    return mask


def lit(mask: ImageU8, colour: tuple[int, int, int], away: int = 0) -> ImageU8:
    """Return colours that are light at the top left of a mask and darken by ``away`` levels."""
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    fall = away * (x + y) / (mask.shape[0] + mask.shape[1])
    return np.asarray((np.array(colour) - fall[..., np.newaxis]).clip(0, 255), np.uint8)


@pytest.mark.parametrize("ground", ["brick", "gravel", "studio"])
@pytest.mark.parametrize("hole", [110, 180])
def test_the_one_opening_of_a_ring_shows_the_ground(ground: str, hole: int) -> None:
    ring = ball(237, hole)
    bgr = printed.on(ground, (lit(ring, (60, 60, 200)), ring))
    whole, fine = maps(ball(237), ring)
    assert may_be_filled(whole, bgr)
    assert has_openings(fine, whole, bgr)


def dark_part(rim: bool) -> tuple[ImageU8, ImageU8, ImageU8]:
    """Draw a red thing whose black, glossy part a network misses, before a half dark wall.

    Args:
        rim: Whether the thing goes on all around the part.

    Returns:
        The picture, the mask of the thing, and the mask without the part.

    """
    whole, part = box(200, 100, 400, 400), np.zeros((600, 800), np.uint8)
    cv2.circle(part, (430 if rim else 500, 330), 100, 255, -1, cv2.LINE_AA)
    bgr = np.full((600, 800, 3), 190, np.uint8)
    bgr[:, 400:] = 12
    bgr[whole > 0] = (30, 40, 190)
    bgr[part > 0] = lit(part, (70, 70, 70), 90)[part > 0]
    return bgr, whole, np.asarray(np.where(part > 127, 0, whole), np.uint8)


@pytest.mark.parametrize("rim", [True, False])
def test_a_dark_part_before_a_dark_wall_is_no_opening(rim: bool) -> None:
    bgr, mask, without = dark_part(rim)
    whole, fine = maps(mask, without)
    assert not has_openings(fine, whole, bgr)


def test_a_part_at_the_edge_of_the_thing_is_no_opening_whatever_its_colours() -> None:
    mask = box(200, 100, 400, 400)
    without = mask.copy()
    without[200:400, 350:600] = 0
    whole, fine = maps(mask, without)
    assert not has_openings(fine, whole, np.full((600, 800, 3), 20, np.uint8))


def test_a_thing_with_the_colours_of_its_ground_may_have_filled_openings() -> None:
    whole, _ = maps(ball(237), ball(237))
    assert may_be_filled(whole, printed.on("brick", printed.wheel()))
    assert not may_be_filled(whole, printed.on("brick", (lit(ball(237), (40, 20, 180)), ball(237))))


@pytest.mark.parametrize("level", [0, 1])
def test_without_subject_or_ground_nothing_is_filled(level: int) -> None:
    flat = np.zeros((8, 8, 3), np.uint8)
    assert not may_be_filled(np.full((32, 32), level, np.float32), flat)
