"""Small pieces: ghosts and dips of a saliency map, holes and islands of a mask."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32
from bgremove.matting.masks import square
from bgremove.matting.pyramid import averaged, halvings, shrink, stretched

SEEN = 0.3  # peak saliency from which a viewer may miss a cleared piece
LARGE = 0.01  # of the largest piece's solid area: such a piece is not a stain
LOOK_SIDE = 512  # cells: larger maps are halved to look for missing pieces
SOLID = 0.5  # saliency that makes a piece more than a ghost
CRUMB = 1e-3  # of the largest piece's solid area: 8 px across beside a person of 300 x 600
FLOOR = 0.25  # saliency below which an enclosed area is an opening that shows the ground
LEVELS = (0.35, 0.5, 0.65, 0.8, 0.9)  # dips are lifted to each of them in turn
WORK_SIDE = 320  # cells: dips of a larger map are found at this size
SPECK_PIXELS = 12  # a hole or island of this many pixels is noise ...
SPECK_SHARE = 1e-5  # ... or of this share of the picture: 120 pixels of 12 megapixels
# A picture of dots, such as dither, has millions of specks, at 60 µs each. Above these limits they
# are its texture and stay. Noisy photographs of 16 megapixels have up to 7,000, and 36,000 steps.
MOST_SPECKS = 20_000
MOST_STEPS, STEPS_SHARE = 100_000, 0.005  # from one pixel to the next; a speck has two or more


def drop_ghosts(saliency: ArrayF32, fog: float) -> ArrayF32:
    """Clear pieces that are faint all over, or whose solid part is only a crumb.

    Such a piece would be a stain in the cut-out and hardly visible in the mask. Faint areas joined
    to something solid stay: hair, fur, motion.

    Args:
        saliency: float32 (S, S) in [0, 1].
        fog: saliency up to which a cell is invisible; it separates pieces.

    Returns:
        float32 (S, S) in [0, 1], nowhere higher; the input where nothing is solid.
    """
    count, labels = cv2.connectedComponents((saliency > fog).view(np.uint8), connectivity=8)
    if count <= 2:  # the background and one piece
        return saliency
    areas = np.bincount(labels[saliency > SOLID], minlength=count)
    ghosts = areas <= areas.max() * CRUMB
    ghosts[0] = False  # cells under the fog are not a piece
    if not areas.any() or not ghosts.any():
        return saliency
    return np.where(ghosts[labels], np.float32(0), saliency)


def misses_piece(saliency: ArrayF32, fog: float) -> bool:
    """Return whether `drop_ghosts` clears a piece that may be a part of the subject.

    Args:
        saliency: float32 (S, S) in [0, 1].
        fog: saliency up to which a cell is invisible.
    """
    cells = shrink(saliency, halvings(max(saliency.shape), LOOK_SIDE))
    count, labels = cv2.connectedComponents((cells > fog).view(np.uint8), connectivity=8)
    if count <= 2:
        return False
    flat = labels.ravel()
    solid = np.bincount(flat[cells.ravel() > SOLID], minlength=count)
    seen = np.bincount(flat[cells.ravel() > SEEN], minlength=count) > 0
    area = np.bincount(flat, minlength=count)
    missed = (solid <= solid.max() * CRUMB) & seen & (area >= solid.max() * LARGE)
    return bool(missed[1:].any()) and bool(solid.any())


def fill_dips(saliency: ArrayF32) -> ArrayF32:
    """Lift dips inside the subject to the level of their surroundings.

    A grey-scale reconstruction in few levels. An area below a level is lifted to that level if it
    does not touch the border and nowhere falls below FLOOR. Openings fall below FLOOR.

    Args:
        saliency: float32 (S, T) in [0, 1].

    Returns:
        float32 (S, T) in [0, 1], nowhere lower.

    Source: Vincent, "Morphological Grayscale Reconstruction", IEEE TIP 1993.
    """
    small = saliency
    if max(saliency.shape) > WORK_SIDE:
        small = averaged(saliency, (WORK_SIDE, WORK_SIDE))
    filled = small
    for level in LEVELS:
        filled = _filled_to(level, filled, small)
    if filled is small:
        return saliency
    lift = filled - small
    if small is not saliency:
        lift = stretched(lift, saliency.shape)
    return np.minimum(saliency + lift, np.float32(1))


def _filled_to(level: float, filled: ArrayF32, original: ArrayF32) -> ArrayF32:
    count, labels = cv2.connectedComponents((filled < level).view(np.uint8), connectivity=4)
    if count <= 2:  # one area: it touches the border, or no subject surrounds it
        return filled
    is_dip = np.ones(count, np.bool_)
    is_dip[0] = False  # the area above the level
    is_dip[labels[original < FLOOR]] = False
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        is_dip[edge] = False
    if not is_dip.any():
        return filled
    return np.where(is_dip[labels], np.float32(level), filled)


def drop_specks(alpha: ArrayF32) -> None:
    """Close holes and remove islands of a few pixels in the mask of ``alpha`` at 0.5, in place.

    A hole is lifted to the lowest pixel around it, an island lowered to the highest. A picture of
    more than MOST_SPECKS stays as it is.

    Args:
        alpha: matte, float32 (H, W) in [0, 1].
    """
    most = max(SPECK_PIXELS, round(SPECK_SHARE * alpha.size))
    mask = (alpha >= 0.5).view(np.uint8)
    boxes = speck_boxes(mask, most)
    if len(boxes) <= MOST_SPECKS:
        for box in boxes:
            _level(alpha, mask, box, most)


def speck_boxes(mask: NDArray[np.uint8], most: int) -> list[Sequence[int]]:
    """Return the boxes (left, top, width, height) of all outlines small enough for a speck.

    Args:
        mask: uint8 (H, W), 0 or 1.
        most: pixels of the largest speck.

    Returns:
        The boxes; none where the mask has so many steps that it is a texture.
    """
    steps = np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    if steps > max(MOST_STEPS, STEPS_SHARE * mask.size):
        return []
    outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    # An outline runs through the subject's own pixels: around an island, or around a hole.
    boxes = [cv2.boundingRect(outline) for outline in outlines if len(outline) <= 4 * most]
    return [box for box in boxes if box[2] * box[3] <= 4 * (most + 4)]


def _level(alpha: ArrayF32, mask: NDArray[np.uint8], box: Sequence[int], most: int) -> None:
    """Level the small pieces that lie completely within a box of the picture."""
    left, top, width, height = box
    rows = slice(max(0, top - 1), top + height + 1)
    columns = slice(max(0, left - 1), left + width + 1)
    window, near = alpha[rows, columns], mask[rows, columns]
    for inside in (0, 1):
        # A hole has 4-connectivity and an island 8-connectivity.
        part = (near == inside).view(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            part, connectivity=4 + 4 * inside
        )
        for piece in range(1, count):
            x, y, w, h, area = stats[piece]
            touches = x == 0 or y == 0 or x + w == near.shape[1] or y + h == near.shape[0]
            if touches or area > most:
                continue
            body = (labels == piece).view(np.uint8)
            ring = (cv2.dilate(body, square(3)) > 0) & (near != inside)
            values = window[ring]
            window[body > 0] = values.max() if inside else values.min()
            near[body > 0] = 1 - inside
