"""The words of `X-Warnings` and of an envelope's ``warnings``, with their meaning."""

from __future__ import annotations

from bgremove.imaging.colour import PROFILE_IGNORED
from bgremove.imaging.decode import FIRST_FRAME
from bgremove.inference.sessions import FALLBACK_WARNING
from bgremove.sight import NO_SECOND_WARNING

WARNINGS = {
    FIRST_FRAME: "of an animation, the first frame was used",
    PROFILE_IGNORED: "the picture's colour profile could not be used; sRGB was taken for it",
    FALLBACK_WARNING: "the subject's own model is missing; the default model stood in for it",
    NO_SECOND_WARNING: "a second network was to be asked and could not; the first alone answered",
}
