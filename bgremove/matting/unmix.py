"""Split the colour of a pixel into the two layers that it mixes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32
from bgremove.matting.pyramid import enlarge
from bgremove.matting.tiles import Window

REACH = 3  # pixels: radius of the window for local colours
NOISE = 1.5**2  # levels squared: noise and JPEG errors in the observed colour
TRACE = 1e-6  # least weight of a pixel, so that the mean exists far from a layer, too
MAX_POINTS = 1 << 14  # at a time: they stay in a core's cache, and cv2.remap takes under 2^15
_SUM = np.ones((1, 3), np.float32)  # sums the three channels with cv2.transform


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The colours of a layer around each pixel.

    ``mean``: float32 (h, w, 3), BGR in [0, 255]; ``variance``: float32 (h, w), the mean over the
    three channels.
    """

    mean: ArrayF32
    variance: ArrayF32

    @classmethod
    def empty(cls, height: int, width: int) -> Layer:
        """Make a layer to be filled with `put`; parts that are not filled take no memory."""
        return cls(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32))

    def put(self, window: Window, part: Layer) -> None:
        """Set the part of the layer in ``window``."""
        self.mean[window], self.variance[window] = part.mean, part.variance

    def window(self, window: Window, factor: int) -> Layer:
        """Return the part in ``window`` of the layer at ``factor`` times its size."""
        return Layer(enlarge(self.mean, window, factor), enlarge(self.variance, window, factor))

    def at(self, x: ArrayF32, y: ArrayF32) -> Layer:
        """Return the layer at N points, float32 (N, 1), as a picture of N rows; N < 2^15."""
        return Layer(_sampled(self.mean, x, y), _sampled(self.variance, x, y))


def local_layer(colours: ArrayF32, share: ArrayF32, reach: int = REACH) -> Layer:
    """Gather a layer's colours around each pixel.

    Args:
        colours: float32 (h, w, 3) in [0, 255], an estimate of the layer.
        share: float32 (h, w) in [0, 1], the layer's share of each pixel.
        reach: radius of the window in pixels.
    """
    window = (2 * reach + 1, 2 * reach + 1)

    def gathered(values: ArrayF32) -> ArrayF32:
        return _f32(cv2.blur(values, window, borderType=cv2.BORDER_REFLECT))

    weight = share * share
    weight = weight * weight + np.float32(TRACE)  # the fourth power: purer pixels count more
    total = np.float32(1) / gathered(weight)
    mean = cv2.multiply(gathered(_times(colours, weight)), _thrice(total))
    variance = gathered(_squared(colours) * weight) * total
    variance -= _squared(_f32(mean))
    variance *= np.float32(1 / 3)
    return Layer(_f32(mean), np.maximum(variance, 0, out=variance))


def unmix(
    observed: ArrayF32, share: ArrayF32, layer: Layer, other: Layer
) -> tuple[ArrayF32, ArrayF32]:
    """Find the most probable colours of two layers from their observed mixture.

    The residual of the mixed means goes mostly to the layer with the larger local variance.

    Args:
        observed: float32 (h, w, 3) in [0, 255].
        share: float32 (h, w) in [0, 1], the share of ``layer`` in each pixel.
        layer: the local colours of the first layer.
        other: the local colours of the second layer.

    Returns:
        Colours of ``layer`` and of ``other``, each float32 (h, w, 3), slightly outside of [0, 255]
        at worst.

    Source: Chuang et al., "A Bayesian Approach to Digital Matting", CVPR 2001, equation 9, with one
    variance for the three channels.
    """
    rest = 1 - share
    credit, others = share * layer.variance, rest * other.variance
    doubt = share * credit
    doubt += rest * others
    doubt += np.float32(NOISE)
    apart = cv2.subtract(layer.mean, other.mean)
    unexplained = _f32(cv2.subtract(observed, other.mean))
    unexplained -= _times(_f32(apart), share)
    credit /= doubt
    others /= doubt
    ours = cv2.add(_times(unexplained, credit), layer.mean)
    return _f32(ours), _f32(cv2.add(_times(unexplained, others), other.mean))


def _squared(colours: ArrayF32) -> ArrayF32:
    return _f32(cv2.transform(cv2.multiply(colours, colours), _SUM))


def _times(colours: ArrayF32, plane: ArrayF32) -> ArrayF32:
    return _f32(cv2.multiply(colours, _thrice(plane)))


def _thrice(plane: ArrayF32) -> ArrayF32:
    # Repeated by hand: NumPy's broadcast over three channels takes several times as long.
    return _f32(cv2.merge((plane, plane, plane)))


def _sampled(values: ArrayF32, x: ArrayF32, y: ArrayF32) -> ArrayF32:
    return _f32(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _f32(values: object) -> ArrayF32:
    return np.asarray(values, np.float32)  # no copy: only for the type checker
