"""What the networks see in a picture: one looks, and where it is unsure a second is asked.

On the 245 evaluation pictures U²-Net is unsure of one in ten, and those are the ones it gets wrong;
asking IS-Net always would cost three times as much for half as much again.
"""

from __future__ import annotations

from dataclasses import dataclass

from bgremove.datatypes import ArrayF32, DecodedImage
from bgremove.inference.manifest import Model
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.sessions import Sessions
from bgremove.matting.fusion import fuse
from bgremove.matting.presence import confidence, has_subject, have_subject
from bgremove.stages import Stages

UNSURE = 0.5  # confidence below which a second opinion is asked for


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """``saliency`` float32 (S, S) in [0, 1], the models that gave it, and what it is worth."""

    saliency: ArrayF32
    models: tuple[str, ...]
    has_subject: bool
    confidence: float


def look(image: DecodedImage, model: Model, sessions: Sessions, stages: Stages) -> Sight:
    """Run ``model`` on a picture, and its second opinion where it is unsure or sees nothing.

    Raises what `Session.run` and `Sessions.get` raise.
    """
    first = _map(image, model, sessions, stages)
    sees, sure = has_subject(first, model.min_strength), confidence(first)
    second_model = None if sees and sure >= UNSURE else sessions.second_opinion(model)
    if second_model is None:
        return Sight(first, (model.name,), sees, sure)
    second = _map(image, second_model, sessions, stages)
    fused = fuse(first, second)
    names = (model.name, second_model.name)
    return Sight(fused, names, have_subject(first, second), confidence(fused))


def _map(image: DecodedImage, model: Model, sessions: Sessions, stages: Stages) -> ArrayF32:
    with stages.stage("load"):
        session = sessions.get(model, stages.deadline)
    with stages.stage("preprocess"):
        tensor = to_tensor(image, model)
    with stages.stage("inference"):
        return session.run(tensor, stages.deadline)
