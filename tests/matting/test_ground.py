import cv2
import numpy as np
import pytest
from skimage import data

from bgremove.matting.ground import find_ground
from eval.draw.grounds import checkerboard, paper


def u8(ground: np.ndarray) -> np.ndarray:
    return np.rint(ground.clip(0, 255)).astype(np.uint8)


def with_disc(bgr: np.ndarray) -> np.ndarray:
    height, width = bgr.shape[:2]
    return cv2.circle(bgr.copy(), (width // 2, height // 2), height // 4, (20, 30, 190), -1)


def test_one_colour_is_a_plain_ground() -> None:
    ground = find_ground(with_disc(np.full((200, 300, 3), (10, 120, 240), np.uint8)))
    assert ground is not None
    assert ground.plain == (10, 120, 240)


def test_a_subject_may_touch_one_side() -> None:
    bgr = np.full((200, 300, 3), 255, np.uint8)
    bgr[60:140, 250:] = 20
    ground = find_ground(bgr)
    assert ground is not None
    assert ground.plain == (255, 255, 255)


@pytest.mark.parametrize("noise", [0, 2])
def test_paper_is_known_under_what_lies_on_it(noise: float) -> None:
    empty = paper(400, 300, np.random.default_rng(3), noise)
    ground = find_ground(with_disc(u8(empty)))
    assert ground is not None
    assert ground.plain is None
    assert np.abs(ground.bgr - empty).mean() < 1 + noise


@pytest.mark.parametrize("cell", [8, 12.5, 20])
def test_a_checkerboard_is_known_under_what_lies_on_it(cell: float) -> None:
    empty = u8(checkerboard(400, 300, cell))
    board = find_ground(with_disc(empty))
    assert board is not None
    assert board.cell == pytest.approx(cell, abs=0.05)
    assert (board.bgr != empty).mean() < 0.01


def test_a_checkerboard_that_is_a_jpeg() -> None:
    empty = u8(checkerboard(400, 300, 10, 191, 255))
    code = cv2.imencode(".jpg", with_disc(empty), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    board = find_ground(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8))
    assert board is not None
    assert np.abs(board.bgr.astype(int) - empty).mean() < 3


@pytest.mark.parametrize("photograph", [data.astronaut, data.coffee, data.chelsea, data.rocket])
def test_a_photograph_shows_no_ground(photograph) -> None:
    assert find_ground(photograph()[..., ::-1].copy()) is None


def test_bars_above_and_below_are_no_ground() -> None:
    bgr = data.coffee()[..., ::-1].copy()
    bgr[:60] = bgr[-60:] = 0
    assert find_ground(bgr) is None


def test_a_tiny_picture_shows_no_ground() -> None:
    assert find_ground(np.zeros((8, 40, 3), np.uint8)) is None
