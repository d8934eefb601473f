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

NO_MODEL = "none"  # `X-Model` where no network ran


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
    networks = _Networks(image, subject, sessions, stages)
    with stages.stage("matte"):
        exact = _graphic(image, subject, networks)
        if exact is not None:
            matte, confidence = matte_of(exact.alpha, image, header), exact.confidence
        else:
            matte, confidence = _seen(networks.look(), image, header)
    if matte is None:
        raise NoSubjectError(networks.absence, networks.model, networks.warnings)
    warnings = networks.warnings + ((Notice.PIECES_DROPPED,) if matte.misses_piece else ())
    return Found(matte, networks.model, confidence, warnings)


@dataclass(slots=True, eq=False)
class _Networks:
    """Runs the networks on a picture when they are first asked, and keeps what they saw."""

    image: DecodedImage
    subject: Subject
    sessions: Sessions
    stages: Stages
    _sight: Sight | None = None
    _is_fallback: bool = False

    def look(self) -> Sight:
        """Return the map and the evidence for it; the first call runs the networks."""
        if self._sight is None:
            choice = self.sessions.choose(self.subject)
            self._is_fallback = choice.is_fallback
            self._sight = look(self.image, self.subject, choice.model, self.sessions, self.stages)
        return self._sight

    @property
    def model(self) -> str:
        return NO_MODEL if self._sight is None else self._sight.model

    @property
    def absence(self) -> str:
        return NO_SUBJECT if self._sight is None else self._sight.absence

    @property
    def warnings(self) -> tuple[str, ...]:
        seen = self._sight.warnings if self._sight is not None else ()
        fallback = (Notice.MODEL_FALLBACK,) if self._is_fallback else ()
        return self.image.warnings + seen + fallback


def _seen(sight: Sight, image: DecodedImage, header: ImageHeader) -> tuple[Matte | None, float]:
    """Return the matte of a network's map, None where it shows no subject, and its confidence."""
    confidence = expected_iou(sight.confidence, sight.agreement)
    return make_matte(sight.saliency, image, header) if sight.has_subject else None, confidence


def _already_cut_out(image: DecodedImage, header: ImageHeader, alpha: ArrayF32) -> Found:
    warnings = (*image.warnings, Notice.ALREADY_TRANSPARENT)
    matte = matte_of(alpha, image, header)
    if matte is None:
        raise NoSubjectError(NO_SUBJECT, NO_MODEL, warnings)
    return Found(matte, NO_MODEL, 1.0, warnings, is_unmixed=True)


def _graphic(image: DecodedImage, subject: Subject, networks: _Networks) -> Exact | None:
    """Return the alpha of a graphic; None for photographs, and where people are requested."""
    if subject is Subject.HUMAN or image.alpha is not None:
        return None
    return graphic_alpha(image.bgr, networks.look)
