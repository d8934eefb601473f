"""Removers that ``make eval`` scores: the server's pipeline, and U²-Net as other tools run it."""

from __future__ import annotations

import functools
from typing import Literal

import cv2
import numpy as np

from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.imaging.probe import probe
from bgremove.inference.preprocess import to_tensor
from bgremove.options import Options, Subject
from bgremove.pipeline import remove_background
from bgremove.settings import Settings
from eval.command import Answer

TIMEOUT_S = 60.0


def served(data: bytes, subject: Subject) -> Answer:
    """Return the alpha and the confidence of the server's answer."""
    return _served(data, subject, _engine())


def fast(data: bytes, subject: Subject) -> Answer:
    """Return the server's answer at BGREMOVE_EFFORT=fast."""
    return _served(data, subject, _engine(effort="fast"))


def best(data: bytes, subject: Subject) -> Answer:
    """Return the server's answer at BGREMOVE_EFFORT=best."""
    return _served(data, subject, _engine(effort="best"))


def _served(data: bytes, subject: Subject, engine: Engine) -> Answer:
    removal = remove_background(data, Options(subject), engine, Deadline.after(TIMEOUT_S))
    pixels = cv2.imdecode(np.frombuffer(removal.image.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("the answer cannot be read")
    alpha = np.multiply(pixels[..., 3], np.float32(1 / 255), dtype=np.float32)
    return Answer(alpha, removal.confidence)


def plain_u2net(data: bytes, subject: Subject) -> Answer:
    """Return float32 U²-Net's map as other tools use it: stretched to [0, 1], enlarged linearly."""
    engine = _engine("float32")
    deadline = Deadline.after(TIMEOUT_S)
    image = engine.decoders.decode(data, probe(data, engine.limits), deadline)
    model = engine.sessions.default
    saliency = engine.sessions.get(model, deadline).run(to_tensor(image, model), deadline)
    low, high = float(saliency.min()), float(saliency.max())
    stretched = (saliency - low) / max(high - low, 1e-6)
    large = cv2.resize(stretched, image.size, interpolation=cv2.INTER_LINEAR)
    return Answer(np.asarray(large, np.float32))


@functools.cache
def _engine(
    precision: Literal["auto", "float32"] = "auto",
    effort: Literal["fast", "balanced", "best"] = "balanced",
) -> Engine:
    return build_engine(Settings(precision=precision, effort=effort))
