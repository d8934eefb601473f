"""A pixel's colour split between the two layers that it mixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.pyramid import enlarge

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32
    from bgremove.matting.tiles import Window

    Planes = list[ArrayF32]  # blue, green, red, each float32 (h, w) in [0, 255]

REACH = 3  # pixels to each side of the window in which colours are gathered, at every size
NOISE = 1.5**2  # levels squared: noise and JPEG errors in the observed colour
TRACE = 1e-6  # weight of a pixel that has none: far from a layer its mean still exists


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What a layer looks like around each pixel.

    ``means``: blue, green, red; ``variance``: the mean over the three; each float32 (h, w).
    """

    means: Planes
    variance: ArrayF32

    def window(self, window: Window, factor: int) -> Layer:
        """Return the part in ``window`` of the layer at ``factor`` times its size."""
        means = [enlarge(plane, window, factor) for plane in self.means]
        return Layer(means, enlarge(self.variance, window, factor))


def local_layer(colours: Planes, share: ArrayF32) -> Layer:
    """Gather a layer's colours around each pixel.

    :param colours: three float32 (h, w) in [0, 255], an estimate of the layer.
    :param share: float32 (h, w) in [0, 1], how much of each pixel is the layer.
    """
    weight = share * share
    weight = weight * weight + np.float32(TRACE)  # the fourth power: purer pixels know better
    total = np.float32(1) / _mean(weight)
    means = [_mean(plane * weight) * total for plane in colours]
    squares = colours[0] * colours[0] + colours[1] * colours[1] + colours[2] * colours[2]
    variance = _mean(squares * weight) * total
    for plane in means:
        variance -= plane * plane
    variance *= np.float32(1 / 3)
    return Layer(means, np.maximum(variance, 0, out=variance))


def unmix(observed: Planes, share: ArrayF32, layer: Layer, other: Layer) -> Planes:
    """Find a layer's most probable colours in what is seen of it mixed with another.

    What the means of both leave unexplained goes to the layer that varies more there.

    :param observed: three float32 (h, w) in [0, 255].
    :param share: float32 (h, w) in [0, 1], how much of each pixel is ``layer``.
    :return: three float32 (h, w), a little outside of [0, 255] at worst.

    Source: Chuang et al., "A Bayesian Approach to Digital Matting", CVPR 2001, equation 9, with one
    variance for the three channels.
    """
    rest = 1 - share
    credit = share * layer.variance
    doubt = share * credit + rest * rest * other.variance + np.float32(NOISE)
    credit /= doubt
    colours = []
    for seen, mine, theirs in zip(observed, layer.means, other.means, strict=True):
        unexplained = seen - share * mine
        unexplained -= rest * theirs
        unexplained *= credit
        unexplained += mine
        colours.append(unexplained)
    return colours


def _mean(plane: ArrayF32) -> ArrayF32:
    side = 2 * REACH + 1
    return cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)  # type: ignore[return-value]
