"""Composing: on transparency, on a ground, as a mask; the same in one strip or in many."""

import numpy as np
import pytest

from bgremove.datatypes import ArrayF32, Box, Cutout, ImageU8
from bgremove.imaging.compose import binary_mask, is_gray, on_ground, transparent
from bgremove.imaging.layer import REACH, alpha_to_u8
from bgremove.imaging.placement import Placement
from bgremove.options import Colour

WHITE = Colour(255, 255, 255)


def cutout(bgr: ImageU8, alpha: ArrayF32) -> Cutout:
    height, width = alpha.shape
    return Cutout(bgr, alpha, Box(0, 0, width, height))


def flat(colour: tuple[int, int, int], alpha: list[list[float]]) -> Cutout:
    matte = np.asarray(alpha, dtype=np.float32)
    return cutout(np.full((*matte.shape, 3), colour, dtype=np.uint8), matte)


def noise(height: int = 37, width: int = 23) -> Cutout:
    """Colours and alpha at random, a third of it wholly transparent in patches."""
    rng = np.random.default_rng(5)
    alpha = rng.random((height, width), dtype=np.float32)
    alpha[rng.random((height, width)) < 0.7] = 0
    alpha[5:20, 3:15] = 0
    return cutout(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), alpha)


def whole(subject: Cutout) -> Placement:
    height, width = subject.alpha.shape
    return Placement(0, 0, 1.0, width, height)


def all_of(subject: Cutout, placement: Placement | None = None) -> ImageU8:
    placement = placement or whole(subject)
    return transparent(subject, placement, 0, placement.height)


def on(subject: Cutout, ground: Colour) -> ImageU8:
    placement = whole(subject)
    return on_ground(subject, placement, ground, 0, placement.height)


def test_alpha_is_rounded_not_cut() -> None:
    alpha = np.array([[0.0, 0.001, 0.002, 0.5, 0.9985, 1.0]], dtype=np.float32)
    assert alpha_to_u8(alpha).tolist() == [[0, 0, 1, 128, 255, 255]]


def test_transparent_keeps_straight_colours() -> None:
    canvas = all_of(flat((10, 20, 30), [[0.5, 1.0]]))
    assert canvas.tolist() == [[[10, 20, 30, 128], [10, 20, 30, 255]]]


def test_transparent_pixels_near_the_subject_have_its_nearest_colour_and_others_are_black() -> None:
    subject = noise(60, 50)
    subject.alpha[:, 30:] = 0
    bgra = all_of(subject)
    is_subject = bgra[..., 3] > 0
    rows, columns = np.nonzero(is_subject)
    for y in range(60):
        for x in range(50):
            if is_subject[y, x]:
                assert (bgra[y, x, :3] == subject.bgr[y, x]).all()
                continue
            distances = (rows - y) ** 2 + (columns - x) ** 2
            nearest = distances == distances.min()
            colours = subject.bgr[rows[nearest], columns[nearest]]
            if distances.min() > REACH**2:
                colours = np.zeros((1, 3), np.uint8)
            assert (bgra[y, x, :3] == colours).all(axis=1).any(), (y, x)


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 36])
@pytest.mark.parametrize(
    "placement",
    [
        Placement(0, 0, 1.0, 23, 37),
        Placement(-4, -9, 1.0, 40, 50),
        Placement(3, 5, 1.0, 10, 11),
        Placement(-2.3, 1.7, 0.43, 17, 19),
        Placement(1.2, -3.1, 2.7, 70, 80),
    ],
)
def test_strips_join_to_the_whole(rows: int, placement: Placement) -> None:
    subject = noise()
    ends = [(top, min(placement.height, top + rows)) for top in range(0, placement.height, rows)]
    tolerance = 0 if placement.scale == 1 else 2  # Pillow takes its boxes as 32-bit numbers
    alpha = np.vstack([transparent(subject, placement, *span)[..., 3] for span in ends])
    assert np.abs(alpha.astype(int) - all_of(subject, placement)[..., 3]).max() <= tolerance
    strips = np.vstack([on_ground(subject, placement, WHITE, *span) for span in ends])
    together = on_ground(subject, placement, WHITE, 0, placement.height)
    assert np.abs(strips.astype(int) - together).max() <= tolerance
    if not tolerance:
        colours = np.vstack([transparent(subject, placement, *span) for span in ends])
        assert np.array_equal(colours, all_of(subject, placement))


def test_what_lies_beyond_the_picture_is_transparent() -> None:
    subject = flat((1, 2, 3), [[1.0] * 4] * 3)
    bgra = all_of(subject, Placement(-20, -10, 1.0, 40, 30))
    assert (bgra[10:13, 20:24] == (1, 2, 3, 255)).all()
    assert np.count_nonzero(bgra[..., 3]) == 12


def test_a_window_beside_the_picture_is_empty() -> None:
    assert not all_of(noise(), Placement(100, 100, 1.0, 30, 20)).any()
    assert not all_of(noise(), Placement(100, 100, 0.4, 30, 20)).any()


@pytest.mark.parametrize("ground", [WHITE, Colour(0, 0, 0), Colour(201, 54, 119)])
def test_a_ground_mixes_in_proportion_to_alpha_rounded_once(ground: Colour) -> None:
    alpha = np.linspace(0, 1, 256, dtype=np.float32)[np.newaxis]
    canvas = on(flat((0, 90, 200), alpha.tolist()), ground)
    share = alpha_to_u8(alpha)[0][:, np.newaxis] / 255
    expected = np.array([0, 90, 200]) * share + np.array(ground[::-1]) * (1 - share)
    assert np.abs(canvas[0] - expected).max() <= 0.5
    assert tuple(canvas[0, 0]) == ground[::-1]
    assert tuple(canvas[0, -1]) == (0, 90, 200)


def test_mask_is_binary_at_one_half() -> None:
    alpha = np.array([[0.0, 0.4999, 0.5, 1.0]], dtype=np.float32)
    mask = binary_mask(alpha)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 0, 255, 255]]


def test_gray_is_gray_everywhere() -> None:
    gray = np.repeat(np.arange(200 * 100, dtype=np.uint8).reshape(200, 100, 1), 3, axis=2)
    assert is_gray(gray)
    gray[33, 41, 1] += 1
    assert not is_gray(gray)
