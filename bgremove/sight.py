"""What the networks see in a picture: one looks, and where it is unsure a second is asked.

IoU on the evaluation pictures. `universal`: U²-Net alone .768; with IS-Net asked for the 7 % where
its confidence is below .5, .779; always asked, .793. `product`: IS-Net alone .890; with U²-Net
asked below .95 (77 %), .919; always asked, .918. docs/quality.md has the other candidates.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bgremove.datatypes import ArrayF32, DecodedImage, Notice
from bgremove.errors import ModelUnavailableError
from bgremove.inference.manifest import Model
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.sessions import Sessions
from bgremove.matting.fusion import fuse
from bgremove.matting.presence import confidence, has_subject, have_subject
from bgremove.stages import Stages

# Above this many pixels a side, fusing with a map of 320² blurs what one of 1024² resolves: on the
# large product picture boundary F fell from .35 to .12. Only a network that is lost asks there.
FINE_SIDE = 1000
LOST = 0.5  # confidence
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """``saliency`` float32 (S, S) in [0, 1], the models that gave it, and what it is worth."""

    saliency: ArrayF32
    models: tuple[str, ...]
    has_subject: bool
    confidence: float
    warnings: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The names of the models, as ``X-Model`` has them."""
        return "+".join(self.models)


def look(image: DecodedImage, model: Model, sessions: Sessions, stages: Stages) -> Sight:
    """Run ``model`` on a picture, and its second opinion where it is unsure or sees nothing.

    Raises what `Session.run` and `Sessions.get` raise.
    """
    first = _map(image, model, sessions, stages)
    sees, sure = has_subject(first, model.min_strength), confidence(first)
    enough = model.sure_from if max(image.size) <= FINE_SIDE else min(model.sure_from, LOST)
    second_model = None if sees and sure >= enough else sessions.second_opinion(model)
    if second_model is None:
        return Sight(first, (model.name,), sees, sure)
    try:
        second = _map(image, second_model, sessions, stages)
    except ModelUnavailableError as error:
        logger.error("no second opinion", extra={"cause": error.private})
        return Sight(first, (model.name,), sees, sure, (Notice.NO_SECOND_OPINION,))
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
