"""The values of `X-Warnings` and of an envelope's ``warnings``, with their meaning."""

from __future__ import annotations

from bgremove.datatypes import Notice

NOTICES = {
    Notice.FIRST_FRAME: "of an animation, the first frame was used",
    Notice.PROFILE_IGNORED: "the colour profile could not be used; the picture was read as sRGB",
    Notice.MODEL_FALLBACK: "the subject's own model is missing; the default model stood in for it",
    Notice.NO_SECOND_OPINION: "the second network failed; the first answered alone",
    Notice.PIECES_DROPPED: "a faint piece apart from the subject was left out",
    Notice.ALREADY_TRANSPARENT: "the picture was cut out already; its alpha is unchanged",
    Notice.LOW_CONFIDENCE: "the cut-out is probably wrong; another subject may do better",
    Notice.ENLARGED: "the canvas needs more pixels for the subject than the picture has",
}
