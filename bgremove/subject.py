"""Where the subject of a picture is: in its own alpha, its ground's colour, or a network's map."""

from __future__ import annotations

from dataclasses import dataclass

from bgremove.datatypes import ArrayF32, DecodedImage, ImageHeader, Matte, Notice, Subject
from bgremove.errors import NoSubjectError
from bgremove.inference.sessions import Sessions
from bgremove.matting.exact import graphic_alpha
from bgremove.matting.existing import is_cut_out
from bgremove.matting.matte import make_matte, matte_of
from bgremove.sight import Sight, look
from bgremove.stages import Stages

NO_SUBJECT = "No subject stands out from the background of this picture"
NO_MODEL = "none"  # `X-Model` where no network ran


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A subject's matte, the networks that ran, and the confidence in [0, 1].

    ``is_unmixed``: the picture's colours are free of a background already.
    """

    matte: Matte
    model: str
    confidence: float
    warnings: tuple[str, ...]
    is_unmixed: bool = False


def find_subject(
    image: DecodedImage, header: ImageHeader, subject: Subject, sessions: Sessions, stages: Stages
) -> Found:
    """Find the subject of a picture; networks run only where the picture itself does not tell.

    Raises:
        NoSubjectError: nothing stands out from the background.
        UpstreamError: processing failed or passed the deadline.
    """
    if image.alpha is not None and is_cut_out(image.alpha):
        return _already_cut_out(image, header, image.alpha)
    networks = _Networks(image, subject, sessions, stages)
    exact = None
    if subject is not Subject.HUMAN and image.alpha is None:
        with stages.stage("graphic"):
            exact = graphic_alpha(image.bgr, networks.saliency, networks.sees)
    if exact is not None:
        matte, confidence = matte_of(exact.alpha, image, header), exact.confidence
    else:
        sight = networks.sight()
        confidence = sight.confidence
        with stages.stage("matte"):
            matte = make_matte(sight.saliency, image, header) if sight.has_subject else None
    if matte is None:
        raise NoSubjectError(NO_SUBJECT, networks.model, networks.warnings)
    return Found(matte, networks.model, confidence, networks.warnings)


def _already_cut_out(image: DecodedImage, header: ImageHeader, alpha: ArrayF32) -> Found:
    warnings = (*image.warnings, Notice.ALREADY_TRANSPARENT)
    matte = matte_of(alpha, image, header)
    if matte is None:
        raise NoSubjectError(NO_SUBJECT, NO_MODEL, warnings)
    return Found(matte, NO_MODEL, 1.0, warnings, is_unmixed=True)


class _Networks:
    """Runs the networks of a subject on a picture when first asked, and keeps their answer."""

    def __init__(
        self, image: DecodedImage, subject: Subject, sessions: Sessions, stages: Stages
    ) -> None:
        self.model, self.warnings = NO_MODEL, image.warnings
        self._image, self._subject = image, subject
        self._sessions, self._stages = sessions, stages
        self._sight: Sight | None = None

    def sight(self) -> Sight:
        if self._sight is None:
            choice = self._sessions.choose(self._subject)
            self._sight = look(self._image, choice.model, self._sessions, self._stages)
            self.model = self._sight.model
            self.warnings += self._sight.warnings
            self.warnings += (Notice.MODEL_FALLBACK,) if choice.is_fallback else ()
        return self._sight

    def saliency(self) -> ArrayF32:
        return self.sight().saliency

    def sees(self) -> bool:
        return self.sight().has_subject
