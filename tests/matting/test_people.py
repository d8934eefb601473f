"""The people of a saliency map, on drawn maps."""

import cv2
import numpy as np
import pytest

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.people import keep_people

SIDE = 320
CELLS = 256
BODY = (60, 100, 300, 160)  # top, left, bottom, right, in pixels of the saliency map


def drawn(*rectangles: tuple[int, int, int, int]) -> ArrayF32:
    share = np.zeros((SIDE, SIDE), np.float32)
    for top, left, bottom, right in rectangles:
        share[top:bottom, left:right] = 1
    return share


def small(share: ArrayF32) -> ArrayF32:
    return np.asarray(cv2.resize(share, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32)


def persons(share: ArrayF32) -> ImageU8:
    return (small(share) > 0.5).astype(np.uint8)


def kept(saliency: ArrayF32, body: ArrayF32) -> ArrayF32:
    return keep_people(saliency, small(body), persons(body))


def test_a_person_alone_stays_as_the_networks_drew_it() -> None:
    saliency = np.asarray(cv2.GaussianBlur(drawn(BODY), (0, 0), 2), np.float32)
    assert np.array_equal(kept(saliency, drawn(BODY)), saliency)


@pytest.mark.parametrize("gap", [0, 20])
def test_a_large_thing_beside_the_person_goes(gap: int) -> None:
    thing = (180, 160 + gap, 300, 310)
    result = kept(drawn(BODY, thing), drawn(BODY))
    assert result[100:290, 104:156].min() > 0.95
    assert result[190:290, 170 + gap : 300].max() < 0.05


def test_a_bag_in_the_hand_stays() -> None:
    bag = (200, 160, 250, 200)
    result = kept(drawn(BODY, bag), drawn(BODY))
    assert np.array_equal(result, drawn(BODY, bag))


def test_a_small_thing_that_touches_nobody_goes() -> None:
    result = kept(drawn(BODY, (200, 220, 250, 260)), drawn(BODY))
    assert result[200:250, 220:260].max() == 0


def test_a_ghost_of_the_background_goes() -> None:
    saliency = np.maximum(drawn(BODY), 0.4 * drawn((20, 180, 300, 310)))
    assert kept(saliency, drawn(BODY))[40:280, 200:300].max() < 0.02


def test_hair_round_the_person_stays_soft() -> None:
    saliency = cv2.GaussianBlur(drawn(BODY), (0, 0), 4)
    thing = (180, 200, 300, 310)
    result = kept(np.maximum(saliency, drawn(thing)), drawn(BODY))
    assert np.allclose(result[60:150, 80:180], saliency[60:150, 80:180], atol=0.02)


def test_a_lost_arm_comes_back() -> None:
    arm = (90, 160, 130, 230)
    result = kept(drawn(BODY), drawn(BODY, arm))
    assert result[97:123, 165:220].min() > 0.9


def test_a_gap_between_arm_and_body_stays_open() -> None:
    saliency = drawn(BODY)
    saliency[120:140, 140:148] = 0
    assert kept(saliency, drawn(BODY))[124:136, 142:146].max() < 0.05


def test_a_person_that_no_network_saw_comes_from_the_prior() -> None:
    result = kept(drawn((10, 10, 50, 50)), drawn(BODY))
    assert result[80:280, 110:150].min() > 0.9
    assert result[10:50, 10:50].max() == 0


def test_where_the_prior_sees_nobody_nothing_changes() -> None:
    saliency = drawn(BODY)
    empty = np.zeros((CELLS, CELLS), np.float32)
    assert keep_people(saliency, empty, empty.astype(np.uint8)) is saliency


@pytest.mark.parametrize("side", [1, 32, 1024])
def test_a_map_of_any_size_keeps_its_size_and_range(side: int) -> None:
    saliency = np.asarray(cv2.resize(drawn(BODY, (180, 160, 300, 310)), (side, side)), np.float32)
    result = kept(saliency, drawn(BODY))
    assert result.shape == (side, side)
    assert result.dtype == np.float32
    assert 0 <= result.min() <= result.max() <= 1
