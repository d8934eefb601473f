"""Find the subject from the picture's own alpha, the ground's colour, or a network's map."""

from __future__ import annotations

from dataclasses import dataclass

from bgremove.datatypes import ArrayF32, DecodedImage, ImageHeader, Matte, Notice, Subject
from bgremove.errors import NoSubjectError
from bgremove.inference.sessions import Sessions
from bgremove.matting.calibration import expected_iou
from bgremove.matting.exact import Exact, graphic_alpha
from bgremove.matting.existing import is_cut_out
from bgremove.matting.matte import make_matte, matte_of
from bgremove.salience import NO_SUBJECT, Sight
from bgremove.sight import look
from bgremove.stages import Stages

NO_MODEL = "none"  # `X-Model` of a picture that is cut out already


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A subject's matte, the networks that ran, and the confidence in [0, 1].

    ``is_unmixed``: the picture's colours contain no background.
    """

    matte: Matte
    model: str
    confidence: float
    warnings: tuple[str, ...]
    is_unmixed: bool = False


def find_subject(
    image: DecodedImage, header: ImageHeader, subject: Subject, sessions: Sessions, stages: Stages
) -> Found:
    """Find the subject of a picture.

    Raises:
        NoSubjectError: nothing stands out from the background.
        UpstreamError: processing failed or passed the deadline.
    """
    if image.alpha is not None and is_cut_out(image.alpha):
        return _already_cut_out(image, header, image.alpha)
    choice = sessions.choose(subject)
    sight = look(image, subject, choice.model, sessions, stages)
    warnings = image.warnings + sight.warnings
    warnings += (Notice.MODEL_FALLBACK,) if choice.is_fallback else ()
    with stages.stage("matte"):
        exact = _graphic(image, subject, sight)
        matte, confidence = None, expected_iou(sight.confidence, sight.agreement)
        if exact is not None:
            matte, confidence = matte_of(exact.alpha, image, header), exact.confidence
        elif sight.has_subject:
            matte = make_matte(sight.saliency, image, header)
    if matte is None:
        raise NoSubjectError(sight.absence, sight.model, warnings)
    warnings += (Notice.PIECES_DROPPED,) if matte.misses_piece else ()
    return Found(matte, sight.model, confidence, warnings)


def _already_cut_out(image: DecodedImage, header: ImageHeader, alpha: ArrayF32) -> Found:
    warnings = (*image.warnings, Notice.ALREADY_TRANSPARENT)
    matte = matte_of(alpha, image, header)
    if matte is None:
        raise NoSubjectError(NO_SUBJECT, NO_MODEL, warnings)
    return Found(matte, NO_MODEL, 1.0, warnings, is_unmixed=True)


def _graphic(image: DecodedImage, subject: Subject, sight: Sight) -> Exact | None:
    """Return the alpha of a graphic; None for photographs, and where people are requested."""
    if subject is Subject.HUMAN or image.alpha is not None:
        return None
    return graphic_alpha(image.bgr, sight.saliency, sees=sight.has_subject)
