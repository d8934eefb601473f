"""Products with a photograph printed on them, drawn with their true masks."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from skimage import data

from bgremove.datatypes import ArrayF32, ImageU8

HEIGHT, WIDTH = 600, 800
Thing = tuple[ImageU8, ImageU8]  # BGR and mask, uint8 (HEIGHT, WIDTH)


def photograph(name: str) -> ImageU8:
    """Return a public-domain photograph of scikit-image as BGR."""
    return np.ascontiguousarray(getattr(data, name)()[..., ::-1])


def face() -> ImageU8:
    """Return the head and shoulders of the astronaut."""
    return photograph("astronaut")[0:300, 90:370]


def cat() -> ImageU8:
    """Return the face of the cat."""
    return photograph("chelsea")[:, 80:380]


def on(ground: str, thing: Thing) -> ImageU8:
    """Draw a thing and its shadow on ``brick``, ``gravel``, ``grass`` or in a ``studio``."""
    bgr, mask = thing
    if ground == "studio":
        under = np.full((HEIGHT, WIDTH, 3), 235.0)
    else:
        texture = cv2.resize(getattr(data, ground)(), (WIDTH, HEIGHT))
        under = texture[..., np.newaxis] * np.array([0.6, 0.75, 0.9])
    shade = cv2.GaussianBlur(np.roll(mask, (10, 10), (0, 1)), (0, 0), 9) / 255 * 0.4
    share = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., np.newaxis] / 255
    picture = under * (1 - shade[..., np.newaxis]) * (1 - share) + bgr * share
    return np.asarray(picture.clip(0, 255), np.uint8)


def book(print_: ImageU8) -> Thing:
    """Draw a cover with a title over its picture."""
    bgr, mask = _blank((150, 60, 30))
    _rectangle(mask, 240, 60, 320, 470)
    bgr[140:450, 270:530] = cv2.resize(print_, (260, 310))
    white = (250, 250, 250)
    cv2.putText(bgr, "THE ORBIT", (275, 115), cv2.FONT_HERSHEY_TRIPLEX, 1.4, white, 2)
    cv2.putText(bgr, "a novel", (340, 500), cv2.FONT_HERSHEY_TRIPLEX, 1, white, 2)
    return bgr, mask


def poster(print_: ImageU8) -> Thing:
    """Draw a picture in a mount and a dark frame."""
    bgr, mask = _blank((40, 40, 45))
    _rectangle(mask, 250, 50, 310, 490)
    bgr[65:525, 265:545] = 225
    bgr[120:470, 310:500] = cv2.resize(print_, (190, 350))
    return bgr, mask


def mug(print_: ImageU8) -> Thing:
    """Draw a mug, shaded as a cylinder, with a handle."""
    _, mask = _blank((0, 0, 0))
    _rectangle(mask, 260, 140, 260, 320)
    cv2.ellipse(mask, (390, 460), (130, 32), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (390, 140), (130, 32), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (525, 300), (75, 100), 0, -95, 95, 255, 30)
    shade = 1 - 0.45 * ((np.arange(WIDTH) - 390) / 130).clip(-1, 1) ** 2
    bgr = np.multiply.outer(np.ones(HEIGHT), shade)[..., np.newaxis] * np.array([60, 40, 160])
    bgr[190:420, 300:480] = cv2.resize(print_, (180, 230)) * shade[300:480, np.newaxis]
    cv2.ellipse(bgr, (390, 140), (122, 26), 0, 0, 360, (25.0, 18.0, 70.0), -1)
    return np.asarray(bgr, np.uint8), mask


def shirt(print_: ImageU8) -> Thing:
    """Draw a T-shirt with a print on its chest."""
    bgr, mask = _blank((60, 140, 40))
    half = [(350, 130), (300, 100), (170, 170), (210, 280), (275, 250), (275, 520)]
    outline = [*half, *((WIDTH - x, y) for x, y in reversed(half))]
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 255, cv2.LINE_AA)
    folds = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, mask.shape), (0, 0), 20)
    folds = 1 + 0.25 * folds / np.abs(folds).max()
    bgr[210:400, 320:480] = cv2.resize(print_, (160, 190))
    return np.asarray((bgr * folds[..., np.newaxis]).clip(0, 255), np.uint8), mask


THINGS: dict[str, Callable[[ImageU8], Thing]] = {
    "book": book,
    "poster": poster,
    "mug": mug,
    "shirt": shirt,
}


def wheel() -> Thing:
    """Draw a wheel with thin spokes; nine tenths of its area are openings."""
    bgr, mask = _blank((35, 35, 40))
    cv2.circle(mask, (400, 300), 230, 255, 14, cv2.LINE_AA)
    cv2.circle(mask, (400, 300), 28, 255, -1, cv2.LINE_AA)
    for angle in np.arange(0, np.pi, np.pi / 8):
        end = 230 * np.array([np.cos(angle), np.sin(angle)])
        start, stop = (np.array([400, 300]) + sign * end for sign in (-1, 1))
        cv2.line(mask, start.astype(int).tolist(), stop.astype(int).tolist(), 255, 6, cv2.LINE_AA)
    return bgr, mask


def iou(alpha: ArrayF32, mask: ImageU8) -> float:
    """Return the intersection over union of an alpha, float32 (H, W), and a true mask."""
    ours, theirs = alpha > 0.5, mask > 127
    return float(np.count_nonzero(ours & theirs) / np.count_nonzero(ours | theirs))


def _blank(colour: tuple[int, int, int]) -> Thing:
    bgr = np.full((HEIGHT, WIDTH, 3), colour, np.uint8)
    return bgr, np.zeros((HEIGHT, WIDTH), np.uint8)


def _rectangle(mask: ImageU8, left: int, top: int, width: int, height: int) -> None:
    mask[top : top + height, left : left + width] = 255
