"""Find the subject of a picture: one network looks, others too where it is unsure.

U²-Net is sure of the whole and fills openings; IS-Net draws finer and loses parts. docs/quality.md
has the measurements behind ASK_BELOW, FINE_SIDE and the efforts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bgremove.datatypes import ArrayF32, DecodedImage, Effort, Notice, Subject
from bgremove.errors import ModelUnavailableError
from bgremove.inference.manifest import Model
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.sessions import Sessions
from bgremove.matting.fusion import agreement, fuse
from bgremove.matting.presence import confidence, has_subject, have_subject
from bgremove.matting.things import has_openings, thing_of
from bgremove.stages import Stages

# Confidence of the first network below which the second is asked at `balanced`.
ASK_BELOW = {Subject.UNIVERSAL: 0.93, Subject.HUMAN: 0.9, Subject.PRODUCT: 0.95}
# On a product whose longer side is more than FINE_SIDE pixels, IS-Net's map at its fine size keeps
# hair and wire that fusing loses; only a network whose confidence is under LOST needs another's.
FINE_SIDE = 1000
LOST = 0.5
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The saliency map of a picture and the evidence for it.

    ``saliency``: float32 (S, S) in [0, 1], stretched over the whole picture. ``models``: the names
    of the networks that gave it. ``agreement``: intersection over union of the first two networks'
    subjects, None where one network ran.
    """

    saliency: ArrayF32
    models: tuple[str, ...]
    has_subject: bool
    confidence: float
    warnings: tuple[str, ...] = ()
    agreement: float | None = None

    @property
    def model(self) -> str:
        """The names of the models, as ``X-Model`` has them."""
        return "+".join(self.models)


def look(
    image: DecodedImage, subject: Subject, model: Model, sessions: Sessions, stages: Stages
) -> Sight:
    """Run the networks that the effort of ``sessions`` grants a picture, and fuse their maps.

    Raises what `Session.run` and `Sessions.get` raise.
    """
    first, *others = _networks(subject, model, sessions)
    maps, names = [_map(image, first, sessions, stages)], [first.name]
    sees, sure = has_subject(maps[0], first.min_strength), confidence(maps[0])
    if sees and sure >= ASK_BELOW[subject] and not _asks_all(subject, sessions):
        others = []
    warnings: tuple[str, ...] = ()
    for network in others:
        try:
            maps.append(_map(image, network, sessions, stages))
        except ModelUnavailableError as error:
            logger.error("no second opinion", extra={"cause": error.private})
            warnings = (Notice.NO_SECOND_OPINION,)
            break
        if network.name not in names:
            names.append(network.name)
    if len(maps) == 1:
        return Sight(maps[0], tuple(names), sees, sure, warnings)
    fused = _fused(maps, image, subject)
    return Sight(
        saliency=fused,
        models=tuple(names),
        has_subject=have_subject(maps[0], maps[1]),
        confidence=confidence(fused),
        warnings=warnings,
        agreement=agreement(maps[0], maps[1]),
    )


def _asks_all(subject: Subject, sessions: Sessions) -> bool:
    """Tell whether every network is asked; for products that lowers the quality."""
    return sessions.effort is Effort.BEST and subject is not Subject.PRODUCT


def _networks(subject: Subject, model: Model, sessions: Sessions) -> list[Model]:
    """Return the networks that may be asked, the one that looks first at the head."""
    other = sessions.second_opinion(model)
    pair = sorted([model, other] if other else [model], key=lambda network: network.size)
    if sessions.effort is Effort.FAST:
        return pair[:1]
    if subject is Subject.PRODUCT:
        return [network.fine for network in reversed(pair)]
    if _asks_all(subject, sessions):
        pair += [network.fine for network in pair if network.fine != network]
    return pair


def _fused(maps: list[ArrayF32], image: DecodedImage, subject: Subject) -> ArrayF32:
    """Fuse two or more maps, without those that misread the thing in the picture."""
    coarse, *finer = sorted(maps, key=lambda saliency: saliency.size)
    if subject is not Subject.HUMAN and has_openings(finer[-1], coarse, image.bgr):
        return fuse(*finer)
    if subject is Subject.PRODUCT:
        thing = thing_of(coarse, finer[-1])
        if thing is not None:
            return thing
        if max(image.size) > FINE_SIDE and confidence(finer[-1]) >= LOST:
            return finer[-1]
    return fuse(*maps)


def _map(image: DecodedImage, model: Model, sessions: Sessions, stages: Stages) -> ArrayF32:
    with stages.stage("load"):
        session = sessions.get(model, stages.deadline)
    with stages.stage("preprocess"):
        tensor = to_tensor(image, model)
    with stages.stage("inference"):
        return session.run(tensor, stages.deadline)
