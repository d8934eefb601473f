"""Find the subject of a picture, and draw its alpha matte.

A picture that is cut out already keeps its own alpha. A graphic is separated by the colour of its
ground. Any other picture is shown to networks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bgremove.datatypes import DecodedImage, ImageHeader, Matte, WarningCode
from bgremove.errors import NoSubjectError
from bgremove.inference.sessions import Sessions
from bgremove.matting.calibration import WARN_BELOW, expected_iou
from bgremove.matting.exact import graphic_alpha
from bgremove.matting.existing import is_cut_out
from bgremove.matting.matte import make_matte, matte_of
from bgremove.options import Subject
from bgremove.sight.people import look_for_people
from bgremove.sight.salience import Sight, salient
from bgremove.stages import Stages

NO_MODEL = "none"  # `X-Model` of a picture that is cut out already


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A subject's matte, the confidence in it in [0, 1], and all warnings so far."""

    matte: Matte
    confidence: float
    warnings: tuple[str, ...]


def look(image: DecodedImage, subject: Subject, sessions: Sessions, stages: Stages) -> Sight:
    """Find the subject of a picture; people where ``subject`` requests them.

    Raises:
        UpstreamError: A network failed, or the deadline passed.

    """
    if image.alpha is not None and is_cut_out(image.alpha):
        warnings = (WarningCode.ALREADY_TRANSPARENT,)
        return Sight(image.alpha, (NO_MODEL,), True, 1.0, warnings, is_own_alpha=True)
    choice = sessions.choose(subject)
    if subject is Subject.HUMAN and sessions.has_people:
        sight = look_for_people(image, choice.model, sessions, stages)
    else:
        sight = salient(image, subject, choice.model, sessions, stages)
    fallback = (WarningCode.MODEL_FALLBACK,) if choice.is_fallback else ()
    return replace(sight, warnings=sight.warnings + fallback)


def draw_matte(
    sight: Sight, image: DecodedImage, header: ImageHeader, subject: Subject, stages: Stages
) -> Found:
    """Draw the alpha matte of the subject.

    Raises:
        NoSubjectError: Nothing stands out from the background.
        UpstreamError: Processing failed, or the deadline passed.

    """
    with stages.stage("matte"):
        matte, confidence = _matte(sight, image, header, subject)
    warnings = image.warnings + sight.warnings
    if matte is None:
        raise NoSubjectError(sight.absence, sight.model, warnings)
    warnings += (WarningCode.PIECES_DROPPED,) if matte.misses_piece else ()
    warnings += (WarningCode.LOW_CONFIDENCE,) if confidence < WARN_BELOW else ()
    return Found(matte, confidence, warnings)


def _matte(
    sight: Sight, image: DecodedImage, header: ImageHeader, subject: Subject
) -> tuple[Matte | None, float]:
    """Return the matte, None without a subject, and the confidence in it."""
    if sight.is_own_alpha:
        return matte_of(sight.saliency, image, header), sight.certainty
    if subject is not Subject.HUMAN and image.alpha is None:
        exact = graphic_alpha(image.bgr, lambda: sight)
        if exact is not None:
            return matte_of(exact.alpha, image, header), exact.confidence
    matte = make_matte(sight.saliency, image, header) if sight.has_subject else None
    return matte, expected_iou(sight.certainty, sight.agreement)
