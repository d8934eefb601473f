"""Ghosts and crumbs: pieces of a saliency map that are separate from the subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.pyramid import halvings, shrink

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

SEEN = 0.3  # peak saliency from which a viewer may miss a cleared piece
LARGE = 0.01  # of the largest piece's solid area: such a piece is not a stain
LOOK_SIDE = 512  # cells: larger maps are halved to look for missing pieces
SOLID = 0.5  # saliency that makes a piece more than a ghost
CRUMB = 1e-3  # of the largest piece's solid area: 8 px across beside a person of 300 x 600


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
