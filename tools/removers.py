"""What `make eval` scores: the server's own pipeline, and plain U²-Net as others run it."""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, Options, Subject
from bgremove.deadline import Deadline
from bgremove.engine import build_engine
from bgremove.imaging.probe import probe
from bgremove.inference.preprocess import to_tensor
from bgremove.pipeline import Engine, remove_background
from bgremove.settings import Settings

TIMEOUT_S = 60.0
_engines: dict[str, Engine] = {}


def served(data: bytes, subject: Subject) -> ArrayF32:
    """Return the alpha of the answer that the server would give."""
    removal = remove_background(data, Options(subject), _engine(), Deadline.after(TIMEOUT_S))
    pixels = cv2.imdecode(np.frombuffer(removal.image.data, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.multiply(pixels[..., 3], np.float32(1 / 255), dtype=np.float32)


def plain_u2net(data: bytes, subject: Subject) -> ArrayF32:
    """Return float32 U²-Net's map as most others use it: stretched to [0, 1], enlarged linearly."""
    engine = _engine("float32")
    deadline = Deadline.after(TIMEOUT_S)
    image = engine.decoders.decode(data, probe(data, engine.limits), deadline)
    model = engine.sessions.default
    saliency = engine.sessions.get(model, deadline).run(to_tensor(image, model), deadline)
    low, high = float(saliency.min()), float(saliency.max())
    stretched = (saliency - low) / max(high - low, 1e-6)
    return np.asarray(cv2.resize(stretched, image.size, interpolation=cv2.INTER_LINEAR), np.float32)


def _engine(precision: str = "auto") -> Engine:
    if precision not in _engines:
        _engines[precision] = build_engine(Settings(precision=precision))
    return _engines[precision]
