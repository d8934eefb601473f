"""Graphics: pictures with a sharp subject on a ground that is known at each pixel.

Examples are logos, words, signatures, stamps, chains, frames and cartoons. Their alpha is computed
from the ground's colour, more exactly than a saliency map can give it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bgremove.datatypes import MASK_THRESHOLD, ArrayF32, ImageU8
from bgremove.matting.ground import Ground, find_ground
from bgremove.matting.ink import (
    STRONG,
    ground_noise,
    has_faint_rest,
    ink_mask,
    ink_share,
    is_flat,
    is_sharp,
    one_ink,
)

MAX_NOISE = 30  # levels: more means a shadow or a photograph's ground
# One ink on one colour may have more noise: JPEG's ringing reaches this share of the contrast.
RINGING_SHARE = 0.25
MAX_INK = 0.9  # of the picture: more leaves too little ground


@dataclass(frozen=True, slots=True, eq=False)
class Graphic:
    """A subject on a known ground.

    ``alpha`` is float32 (H, W) in [0, 1], 0 wherever the ground's colour shows. ``distance`` is
    uint8 (H, W), the levels between each pixel and the ground. ``ink`` is the subject's colour as
    float32 (3,) BGR where there is only one. ``flat`` is false where the subject has a texture, as
    in a photograph. ``noise`` is the deviation of the ground from its colours, in levels.
    """

    ground: Ground
    alpha: ArrayF32
    distance: ImageU8
    ink: ArrayF32 | None
    flat: bool
    noise: float


def read_graphic(bgr: ImageU8) -> Graphic | None:
    """Read a picture as a graphic; None for photographs and pictures without sharp edges.

    Args:
        bgr: uint8 (H, W, 3).
    """
    ground = find_ground(bgr)
    if ground is None:
        return None
    distance = ground.distance(bgr)
    noise = ground_noise(distance)
    if noise is None or noise > max(MAX_NOISE, RINGING_SHARE * _contrast(distance)):
        return None
    core = ink_mask(distance, noise)
    share = cv2.countNonZero(core) / core.size
    if not 0 < share <= MAX_INK or not is_sharp(distance, core):
        return None
    if ground.plain is not None and noise > 1 and has_faint_rest(distance, core):
        return None
    ink = one_ink(bgr, ground, distance, core, noise)
    if noise > MAX_NOISE and (ink is None or ground.plain is None):
        return None
    alpha = ink_share(bgr, ground, distance, core, ink, noise)
    if float(alpha.max()) < MASK_THRESHOLD:
        return None
    flat = ink is not None or is_flat(bgr, core, noise)
    return Graphic(ground, alpha, distance, ink, flat, noise)


def _contrast(distance: ImageU8) -> float:
    """Return the distance of strong ink from the ground, in levels; 0 where there is none."""
    strong = distance[distance >= STRONG]
    return float(np.median(strong)) if strong.size else 0.0
