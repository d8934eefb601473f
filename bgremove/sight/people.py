"""Detection of the people in a picture, and the part of a saliency map that shows them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from bgremove.datatypes import ArrayF32, DecodedImage, ImageU8, People, WarningCode
from bgremove.errors import ModelUnavailableError
from bgremove.inference.models import Model
from bgremove.inference.people import PeopleFinder
from bgremove.inference.sessions import Sessions
from bgremove.matting.closer_looks import (
    CLOSE_EVIDENCE,
    GROWTH,
    Box,
    closer_look,
    explains,
    grown,
    hidden_body,
    pasted,
    pixels,
    stand_out,
    unseen,
)
from bgremove.matting.confidence import certainty, has_subject
from bgremove.matting.fusion import fuse
from bgremove.matting.people import EVIDENCE, evidence, keep_people, person_mask
from bgremove.matting.pyramid import averaged, halvings, shrink
from bgremove.options import Subject
from bgremove.sight.salience import Sight, map_of, salient
from bgremove.stages import Stages

SHOWN_SIDE = 1280  # px: a longer picture is halved first; the networks see 300² at most
NO_PERSON = "No person was found in this picture; subject=universal keeps whatever stands out"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class PeopleSight:
    """The people detected in ``bgr``, uint8 (H, W, 3), and the prior of their positions.

    ``prior``: float32 (256, 256) in [0, 1].
    """

    bgr: ImageU8
    people: People
    prior: ArrayF32


def look_for_people(image: DecodedImage, model: Model, sessions: Sessions, stages: Stages) -> Sight:
    """Find the people in a picture.

    If the weights for people are damaged and ``sessions`` are not strict, return the salient object
    with a warning. Raises the errors of `Session.run` and `Sessions.get`.
    """
    finder = sessions.people
    try:
        people = find_people(image.bgr, finder, stages)
    except ModelUnavailableError as error:
        if sessions.strict:
            raise
        logger.error("no priors of people", extra={"cause": error.private or error.reason})
        sight = salient(image, Subject.HUMAN, model, sessions, stages)
        return replace(sight, warnings=(*sight.warnings, WarningCode.MODEL_FALLBACK))
    if people is None:
        empty = np.zeros((1, 1), np.float32)
        return Sight(empty, finder.names, False, 0.0, absence=NO_PERSON)
    sight = salient(image, Subject.HUMAN, model, sessions, stages)
    saliency, names = sight.saliency, sight.models
    for joining in sessions.joining(Subject.HUMAN):
        saliency = fuse(saliency, map_of(image, joining, sessions, stages))
        names += (joining.name,)
    saliency = people_of(saliency, people, finder, stages)
    return replace(
        sight,
        saliency=saliency,
        models=names + finder.names,
        has_subject=sight.has_subject or has_subject(saliency, model.min_strength),
        certainty=certainty(saliency),
    )


def find_people(bgr: ImageU8, finder: PeopleFinder, stages: Stages) -> PeopleSight | None:
    """Look for people in a picture, uint8 (H, W, 3).

    Returns:
        The detections and the prior, or None where no person is found.

    Raises:
        ModelUnavailableError: the file of a prior differs from the manifest.
        UpstreamError: a network failed, or the deadline passed.

    """
    with stages.stage("inference"):
        shown = shrink(bgr, halvings(max(bgr.shape[:2]), SHOWN_SIDE))
        people = finder.find(shown, stages.deadline)
        if evidence(people) < EVIDENCE:
            box = hidden_body(people)
            if box is None:
                return None
            close = finder.find(
                shown[pixels(box, (shown.shape[1], shown.shape[0]))], stages.deadline
            )
            if evidence(close) < CLOSE_EVIDENCE:
                return None
        return PeopleSight(shown, people, finder.mask(shown, stages.deadline))


def people_of(
    saliency: ArrayF32, sight: PeopleSight, finder: PeopleFinder, stages: Stages
) -> ArrayF32:
    """Limit a saliency map, float32 (S, S) in [0, 1], to its people; its size does not change.

    The prior runs again on the boxes of people that only a detector found, and on a crop of all
    people where they are small in the picture.
    """
    people, size = sight.people, (sight.bgr.shape[1], sight.bgr.shape[0])

    def closer(box: Box) -> ArrayF32:
        return finder.mask(sight.bgr[pixels(box, size)], stages.deadline)

    with stages.stage("inference"):
        prior = sight.prior
        small = averaged(saliency, prior.shape)
        persons = person_mask(prior, small, people)
        for body in unseen(persons, small, people):
            box = grown(body, GROWTH)
            raised = pasted(prior, closer(box), box, adds=True)
            more = person_mask(raised, small, people)
            if explains(more, small, body) if persons.any() else stand_out(more, small):
                prior, persons = raised, more
        close_box = closer_look(persons, people)
        if close_box is not None:
            prior = pasted(prior, closer(close_box), close_box)
            persons = person_mask(prior, small, people)
        return keep_people(saliency, prior, persons)
