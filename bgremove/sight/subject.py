"""Find the subject of a picture, and draw its alpha matte.

A picture that is cut out already keeps its own alpha. A graphic is separated by the colour of its
ground. Networks run on any other picture, and on a graphic whose colours do not decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bgremove.datatypes import DecodedImage, ImageHeader, Matte, WarningCode
from bgremove.errors import NoSubjectError
from bgremove.inference.sessions import Sessions
from bgremove.matting.confidence import WARN_BELOW, expected_iou
from bgremove.matting.exact import graphic_alpha
from bgremove.matting.matte import is_cut_out, make_matte, matte_of
from bgremove.options import Subject
from bgremove.sight.people import look_for_people
from bgremove.sight.salience import NO_SUBJECT, Sight, salient
from bgremove.stages import Stages

NO_MODEL = "none"  # `X-Model` of a picture that no network has examined


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The subject of a picture.

    Attributes:
        matte: Its alpha.
        confidence: The IoU that the matte is expected to have with the true one, in [0, 1].
        model: The names of the networks that ran, in the form of ``X-Model``.
        warnings: All codes of ``X-Warnings`` so far.
        is_own_alpha: Whether the picture was cut out already.

    """

    matte: Matte
    confidence: float
    model: str
    warnings: tuple[str, ...]
    is_own_alpha: bool = False


class Look:
    """The networks' result for one picture; the first call runs them, later calls reuse it."""

    def __init__(
        self, image: DecodedImage, subject: Subject, sessions: Sessions, stages: Stages
    ) -> None:
        self._of = image, subject, sessions, stages
        self.sight: Sight | None = None

    def __call__(self) -> Sight:
        """Return the map. Raises UpstreamError if a network fails or the deadline passes."""
        if self.sight is None:
            self.sight = look(*self._of)
        return self.sight


def find_subject(
    image: DecodedImage, header: ImageHeader, subject: Subject, sessions: Sessions, stages: Stages
) -> Found:
    """Find the subject of a picture and draw its alpha matte.

    Raises:
        NoSubjectError: Nothing stands out from the background.
        UpstreamError: Processing failed, or the deadline passed.

    """
    networks = Look(image, subject, sessions, stages)
    own = image.alpha if image.alpha is not None and is_cut_out(image.alpha) else None
    with stages.stage("matte"):
        if own is not None:
            matte, confidence = matte_of(own, image, header), 1.0
        else:
            matte, confidence = _matte(networks, image, header, subject)
    sight = networks.sight
    model = sight.model if sight else NO_MODEL
    warnings = image.warnings + (sight.warnings if sight else ())
    warnings += (WarningCode.ALREADY_TRANSPARENT,) if own is not None else ()
    if matte is None:
        raise NoSubjectError(sight.absence if sight else NO_SUBJECT, model, warnings)
    warnings += (WarningCode.PIECES_DROPPED,) if matte.misses_piece else ()
    warnings += (WarningCode.LOW_CONFIDENCE,) if confidence < WARN_BELOW else ()
    return Found(matte, confidence, model, warnings, is_own_alpha=own is not None)


def look(image: DecodedImage, subject: Subject, sessions: Sessions, stages: Stages) -> Sight:
    """Run the networks on a picture, with those for people if ``subject`` is human.

    Raises:
        UpstreamError: A network failed, or the deadline passed.

    """
    choice = sessions.choose(subject)
    if subject is Subject.HUMAN and sessions.has_people:
        sight = look_for_people(image, choice.model, sessions, stages)
    else:
        sight = salient(image, subject, choice.model, sessions, stages)
    fallback = (WarningCode.MODEL_FALLBACK,) if choice.is_fallback else ()
    return replace(sight, warnings=sight.warnings + fallback)


def _matte(
    networks: Look, image: DecodedImage, header: ImageHeader, subject: Subject
) -> tuple[Matte | None, float]:
    """Return the matte, None without a subject, and the confidence in it."""
    if subject is not Subject.HUMAN and image.alpha is None:
        exact = graphic_alpha(image.bgr, networks)
        if exact is not None:
            return matte_of(exact.alpha, image, header), exact.confidence
    sight = networks()
    matte = make_matte(sight.saliency, image, header) if sight.has_subject else None
    return matte, expected_iou(sight.certainty, sight.agreement)
