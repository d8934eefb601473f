"""Find the salient object of a picture with one network, and with others where it is unsure.

U²-Net finds the whole object but fills openings. IS-Net draws finer edges but loses parts.
docs/quality.md has the measurements behind ASK_BELOW, DOUBT, FINE_SIDE and the efforts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bgremove.datatypes import ArrayF32, DecodedImage, Effort, WarningCode
from bgremove.errors import ModelUnavailableError
from bgremove.inference.models import Model
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.sessions import Sessions
from bgremove.matting.confidence import certainty, doubt, has_subject, have_subject
from bgremove.matting.fusion import agreement, fuse
from bgremove.matting.things import has_openings, may_be_filled, thing_of
from bgremove.options import Subject
from bgremove.stages import Stages

# At `balanced` the second network runs if the certainty of the first is below ASK_BELOW. It also
# runs from a doubt of DOUBT on: the certainty of a large subject hides the doubt of one area.
ASK_BELOW, DOUBT = 0.84, 0.07
# IS-Net is as certain of a printed picture as of the cover around it. So U²-Net always runs for a
# product too, and IS-Net also at its smaller size if the two agree less than this (as IoU).
AGREED = 0.85
# IS-Net's map of a product stays as it is from this certainty on. On a picture whose longer side
# is more than FINE_SIDE pixels it keeps hair and wire that fusing with 320² loses.
KEEP, KEEP_LARGE = 0.95, 0.5
# Certainty from which the first network's subject needs no confirmation by another network.
ALONE = {Subject.UNIVERSAL: 0.5, Subject.HUMAN: 0.5, Subject.PRODUCT: 0.95}
FINE_SIDE = 1000
NO_SUBJECT = "No subject stands out from the background of this picture"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The saliency map of a picture and the evidence for it.

    Attributes:
        saliency: float32 (S, S) in [0, 1], stretched over the whole picture.
        models: The names of the networks that produced it.
        has_subject: Whether the map shows a subject.
        certainty: The IoU that the map's own values imply, in [0, 1].
        warnings: The codes of ``X-Warnings`` from running the networks.
        agreement: Intersection over union of the first two networks' subjects; None where one ran.
        absence: The sentence for the client if there is no subject.

    """

    saliency: ArrayF32
    models: tuple[str, ...]
    has_subject: bool
    certainty: float
    warnings: tuple[str, ...] = ()
    agreement: float | None = None
    absence: str = NO_SUBJECT

    @property
    def model(self) -> str:
        """The names of the models, in the form of ``X-Model``."""
        return "+".join(self.models)


def salient(
    image: DecodedImage, subject: Subject, model: Model, sessions: Sessions, stages: Stages
) -> Sight:
    """Run the networks that the effort of ``sessions`` allows, and fuse their maps.

    Raises the errors of `Session.run` and `Sessions.get`.
    """
    first, *others = _networks(subject, model, sessions)
    maps, names = [map_of(image, first, sessions, stages)], [first.name]
    sees = has_subject(maps[0], first.min_strength)
    warnings: tuple[str, ...] = ()
    for network in others:
        if sees and _are_settled(maps, image, subject, sessions):
            break
        try:
            maps.append(map_of(image, network, sessions, stages))
        except ModelUnavailableError as error:
            logger.error("no second opinion", extra={"cause": error.private})
            warnings = (WarningCode.NO_SECOND_OPINION,)
            break
        if network.name not in names:
            names.append(network.name)
    if len(maps) == 1:
        return Sight(maps[0], tuple(names), sees, certainty(maps[0]), warnings)
    fused = _fused(maps, image, subject)
    return Sight(
        saliency=fused,
        models=tuple(names),
        has_subject=(sees and certainty(maps[0]) >= ALONE[subject])
        or have_subject(maps[0], maps[1]),
        certainty=certainty(fused),
        warnings=warnings,
        agreement=agreement(maps[0], maps[1]),
    )


def _networks(subject: Subject, model: Model, sessions: Sessions) -> list[Model]:
    """Return the networks that may run, in the order in which they run."""
    other = sessions.second_opinion(model)
    pair = sorted([model, other] if other else [model], key=lambda network: network.size)
    if sessions.effort is Effort.FAST:
        return pair[:1]
    fine = [network.fine for network in pair]
    if subject is Subject.PRODUCT:
        return [*reversed(fine), *(network for network in pair if network not in fine)]
    if sessions.effort is Effort.BEST:
        pair += [network for network in fine if network not in pair]
    return pair


def _are_settled(
    maps: list[ArrayF32], image: DecodedImage, subject: Subject, sessions: Sessions
) -> bool:
    """Return whether the maps so far are enough without a further network."""
    if subject is Subject.PRODUCT:
        return len(maps) > 1 and agreement(maps[0], maps[1]) >= AGREED
    if sessions.effort is Effort.BEST:
        return False
    if certainty(maps[0]) < ASK_BELOW or doubt(maps[0]) >= DOUBT:
        return False
    return subject is not Subject.UNIVERSAL or not may_be_filled(maps[0], image.bgr)


def _fused(maps: list[ArrayF32], image: DecodedImage, subject: Subject) -> ArrayF32:
    """Fuse two or more maps, without those that misinterpret the thing in the picture."""
    coarse, *finer = sorted(maps, key=lambda saliency: saliency.size)
    if subject is Subject.PRODUCT:
        return _product(coarse, finer, image)
    if subject is Subject.UNIVERSAL and has_openings(finer[-1], coarse, image.bgr):
        return fuse(*finer)
    return fuse(*maps)


def _product(coarse: ArrayF32, finer: list[ArrayF32], image: DecodedImage) -> ArrayF32:
    """Choose or fuse the maps of a product; a middle map only helps to recognise a print."""
    finest = finer[-1]
    if has_openings(finest, coarse, image.bgr):
        return finest
    thing = thing_of([coarse, *finer], image.bgr)
    if thing is not None:
        return thing
    keep = KEEP_LARGE if max(image.size) > FINE_SIDE else KEEP
    return finest if certainty(finest) >= keep else fuse(coarse, finest)


def map_of(image: DecodedImage, model: Model, sessions: Sessions, stages: Stages) -> ArrayF32:
    """Return the raw map of one network, float32 (S, S) in [0, 1]."""
    with stages.stage("load"):
        session = sessions.get(model, stages.deadline)
    with stages.stage("preprocess"):
        tensor = to_tensor(image, model)
    with stages.stage("inference"):
        return session.run(tensor, stages.deadline)
