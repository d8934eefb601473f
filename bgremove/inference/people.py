"""Priors of people: a mask, bodies and faces, from three small networks run by OpenCV.

The priors are not saliency maps. They detect people in a picture and select the parts of a saliency
map that show them. Together they take 65 ms of one core and 60 MiB.

A box of a detector is float32 (top, left, bottom, right) as fractions of the network's square
input. Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv:1512.02325;
Bazarevsky et al., "BlazeFace", arXiv:1907.05047.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, ImageU8, People
from bgremove.deadline import Deadline
from bgremove.errors import UpstreamError
from bgremove.inference.models import Prior, Role
from bgremove.inference.session import unavailable, verified

MASK_SIDE = 256  # px
PERSON = 4  # class index of the object detector
BODY_OUTPUTS = ("raw_outputs/box_encodings", "raw_outputs/class_predictions")
FACE_OUTPUTS = ("reshaped_regressor_face_4", "reshaped_classifier_face_4")
LEAST_BODY, LEAST_FACE = 0.2, 0.3  # lowest accepted scores of boxes
BAR = 128  # gray level that pads a picture to a square; the face detector uses black
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


class PeopleFinder:
    """The three networks, loaded at first use. Safe to share between threads."""

    def __init__(self, priors: Sequence[Prior], weights_dir: Path) -> None:
        self._priors = {prior.role: prior for prior in priors}
        self._weights_dir = weights_dir
        self._nets: dict[Role, cv2.dnn.Net] = {}
        self._turn = threading.Lock()  # an OpenCV network holds the state of its run
        self._body_anchors, self._face_anchors = body_anchors(), face_anchors()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the networks."""
        return tuple(prior.name for prior in self._priors.values())

    def mask(self, bgr: ImageU8, deadline: Deadline) -> ArrayF32:
        """Return the probability of a person in each cell.

        Args:
            bgr: uint8 (H, W, 3).
            deadline: Limits the wait for the network; the run itself is short and not cancelled.

        Returns:
            float32 (256, 256) in [0, 1], stretched over the whole picture.

        """
        shown = _shrunk(bgr, (MASK_SIDE, MASK_SIDE))
        (mask,) = self._run("mask", shown, 1 / 255, 0.0, (), deadline)
        return mask.reshape(MASK_SIDE, MASK_SIDE).clip(0, 1)

    def find(self, bgr: ImageU8, deadline: Deadline) -> People:
        """Find the bodies and faces in a picture, uint8 (H, W, 3)."""
        square, frame = _squared(bgr, BODY_SIDE, BAR)
        raw, classes = self._run("bodies", square, 1 / 127.5, 127.5, BODY_OUTPUTS, deadline)
        likely = _sigmoid(classes.reshape(len(self._body_anchors), -1)[:, PERSON])
        found = body_boxes(raw.reshape(-1, 4), self._body_anchors)
        bodies, body_scores = distinct(found, likely, LEAST_BODY)
        square, face_frame = _squared(bgr, FACE_SIDE, 0)
        raw, classes = self._run("faces", square, 1 / 127.5, 127.5, FACE_OUTPUTS, deadline)
        faced = _sigmoid(classes.ravel())
        found = face_boxes(raw.reshape(-1, 16), self._face_anchors)
        faces, face_scores = distinct(found, faced, LEAST_FACE)
        return People(
            bodies=_in_picture(bodies, frame),
            body_scores=body_scores,
            faces=_in_picture(faces, face_frame),
            face_scores=face_scores,
            body=float(likely.max()),
            face=float(faced.max()),
        )

    def _run(
        self,
        role: Role,
        bgr: ImageU8,
        scale: float,
        mean: float,
        outputs: tuple[str, ...],
        deadline: Deadline,
    ) -> list[ArrayF32]:
        tensor = cv2.dnn.blobFromImage(bgr, scale, mean=(mean, mean, mean), swapRB=True)
        if not self._turn.acquire(timeout=deadline.remaining_s):
            raise deadline.exceeded("waiting for the priors of people")
        try:
            net = self._nets.get(role)
            if net is None:
                net = self._nets[role] = _loaded(self._priors[role], self._weights_dir)
            net.setInput(tensor)
            answers = net.forward(outputs or net.getUnconnectedOutLayersNames())
            results = [np.array(answer, np.float32) for answer in answers]
        finally:
            self._turn.release()
        if not all(np.isfinite(result).all() for result in results):
            raise UpstreamError("The model failed on this picture", private=f"NaN from {role}")
        return results


def _loaded(prior: Prior, folder: Path) -> cv2.dnn.Net:
    """Load a network from the same open file whose hash was verified."""
    with verified(prior, folder / prior.file) as weights:
        # Loaded from a path: with bytes, OpenCV 5.0 ignores the choice of its classic engine, and
        # the new engine gives only one output.
        path = f"/proc/self/fd/{weights.fileno()}"
        try:
            return cv2.dnn.readNetFromTFLite(path, cv2.dnn.ENGINE_CLASSIC)
        except cv2.error as error:
            raise unavailable(prior, "does not load", error) from error


def _sigmoid(logits: ArrayF32) -> ArrayF32:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _shrunk(bgr: ImageU8, size: tuple[int, int]) -> ImageU8:
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def _squared(bgr: ImageU8, side: int, bar: int) -> tuple[ImageU8, tuple[float, ...]]:
    """Fit a picture into a square, padded with bars.

    Returns:
        uint8 (side, side, 3), and the picture's top, left, height and width as fractions of it.

    """
    height, width = bgr.shape[:2]
    scale = side / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    square = np.full((side, side, 3), bar, np.uint8)
    top, left = (side - rows) // 2, (side - columns) // 2
    square[top : top + rows, left : left + columns] = _shrunk(bgr, (columns, rows))
    return square, (top / side, left / side, rows / side, columns / side)


def _in_picture(boxes: ArrayF32, frame: tuple[float, ...]) -> ArrayF32:
    """Convert boxes from fractions of a square to fractions of the picture at ``frame`` in it."""
    top, left, height, width = frame
    origin = np.array([top, left, top, left], np.float32)
    scale = np.array([height, width, height, width], np.float32)
    return np.asarray((boxes - origin) / scale, np.float32)


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
