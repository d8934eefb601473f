"""Find the subject of a picture: the salient object, or people where they are requested."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from bgremove.datatypes import DecodedImage, Notice, Subject
from bgremove.errors import ModelUnavailableError
from bgremove.inference.manifest import Model
from bgremove.inference.sessions import Sessions
from bgremove.matting.fusion import fuse
from bgremove.matting.presence import confidence, has_subject
from bgremove.people_sight import find_people, people_of
from bgremove.salience import Sight, map_of, salient
from bgremove.stages import Stages

NO_PERSON = "No person was found in this picture; subject=universal keeps whatever stands out"
logger = logging.getLogger(__name__)


def look(
    image: DecodedImage, subject: Subject, model: Model, sessions: Sessions, stages: Stages
) -> Sight:
    """Find the subject of a picture; people where ``subject`` requests them.

    Raises the errors of `Session.run` and `Sessions.get`.
    """
    if subject is Subject.HUMAN and sessions.has_people:
        return _people(image, model, sessions, stages)
    return salient(image, subject, model, sessions, stages)


def _people(image: DecodedImage, model: Model, sessions: Sessions, stages: Stages) -> Sight:
    """Find the people in a picture; without weights for it, the salient object, with a warning."""
    finder = sessions.people
    try:
        people = find_people(image.bgr, finder, stages)
    except ModelUnavailableError as error:
        if sessions.strict:
            raise
        logger.error("no priors of people", extra={"cause": error.private or error.reason})
        sight = salient(image, Subject.HUMAN, model, sessions, stages)
        return replace(sight, warnings=(*sight.warnings, Notice.MODEL_FALLBACK))
    if people is None:
        nobody = np.zeros((1, 1), np.float32)
        return Sight(nobody, finder.names, False, 0.0, absence=NO_PERSON)
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
        confidence=confidence(saliency),
    )
