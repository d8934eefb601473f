"""Boxes of bodies and faces from the raw outputs of two single-shot detectors.

A box is float32 (top, left, bottom, right) as fractions of the network's square input.

Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv:1512.02325; Bazarevsky et
al., "BlazeFace", arXiv:1907.05047.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32

BODY_SIDE = 300  # px, input side of the object detector
BODY_STRIDES = (16, 32, 64, 128, 256, 512)  # px between two anchors of each layer
BODY_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)  # of the side; the last only bounds layer six
FIRST_SCALE = 0.1  # scale of the first layer's square anchor
ASPECTS = (1.0, 2.0, 0.5, 3.0, 1 / 3)  # width to height
CENTRE_GAIN, SIZE_GAIN = 10.0, 5.0  # gains of the network's offsets and log sizes
FACE_SIDE = 192  # px, input side of the face detector
FACE_STRIDE = 4  # px between two anchors
OVERLAP = 0.45  # intersection over union at which two boxes count as one
MOST = 20  # most boxes kept of each kind


def body_anchors() -> ArrayF32:
    """Return the object detector's anchors, float32 (1917, 4): centre y, x, height, width."""
    anchors = []
    for layer, stride in enumerate(BODY_STRIDES):
        cells = math.ceil(BODY_SIDE / stride)
        scale, following = BODY_SCALES[layer : layer + 2]
        shapes = [(scale, aspect) for aspect in ASPECTS] + [(math.sqrt(scale * following), 1.0)]
        if layer == 0:
            shapes = [(FIRST_SCALE, 1.0), (scale, 2.0), (scale, 0.5)]
        sizes = [(size / math.sqrt(aspect), size * math.sqrt(aspect)) for size, aspect in shapes]
        middles = [(cell + 0.5) / cells for cell in range(cells)]
        anchors += [(y, x, *size) for y in middles for x in middles for size in sizes]
    return np.asarray(anchors, np.float32)


def face_anchors() -> ArrayF32:
    """Return the centres of the face detector's anchors, float32 (2304, 2): y, x."""
    cells = FACE_SIDE // FACE_STRIDE
    middles = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
    return np.stack(np.meshgrid(middles, middles, indexing="ij"), -1).reshape(-1, 2)


def body_boxes(raw: ArrayF32, anchors: ArrayF32) -> ArrayF32:
    """Decode the output of the object detector, (N, 4), into boxes."""
    centres = raw[:, :2] / np.float32(CENTRE_GAIN) * anchors[:, 2:] + anchors[:, :2]
    halves = anchors[:, 2:] * np.exp(raw[:, 2:] / np.float32(SIZE_GAIN)) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def face_boxes(raw: ArrayF32, anchors: ArrayF32) -> ArrayF32:
    """Decode the output of the face detector, (N, 16): x, y, width, height, landmarks."""
    centres = raw[:, 1::-1] / np.float32(FACE_SIDE) + anchors
    halves = raw[:, 3:1:-1] / np.float32(2 * FACE_SIDE)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def distinct(boxes: ArrayF32, scores: ArrayF32, least: float) -> tuple[ArrayF32, ArrayF32]:
    """Select the best of overlapping boxes, and drop boxes with scores below ``least``.

    Args:
        boxes: float32 (N, 4).
        scores: float32 (N,) in [0, 1].
        least: The lowest accepted score.

    Returns:
        At most MOST boxes and their scores, best first.

    """
    corners = np.concatenate([boxes[:, 1::-1], boxes[:, 3:1:-1] - boxes[:, 1::-1]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), least, OVERLAP, top_k=MOST)
    rows = np.asarray(kept, np.intp).ravel()
    return boxes[rows], scores[rows]
