"""The recipe: an uploaded picture in, its subject out."""

from __future__ import annotations

from bgremove.datatypes import Cutout, Notice, Options, OutputFormat, Removal
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.errors import NoSubjectError
from bgremove.imaging.encode import encode
from bgremove.imaging.probe import probe
from bgremove.imaging.reduction import header_to_decode
from bgremove.matting.colours import free_colours
from bgremove.matting.matte import make_matte
from bgremove.native import native_errors
from bgremove.sight import look
from bgremove.stages import Stages

NO_SUBJECT = "No subject stands out from the background of this picture"


def remove_background(
    picture: bytes, options: Options, engine: Engine, deadline: Deadline
) -> Removal:
    """Cut the subject out of a picture.

    Raises:
        ImageError: the picture is at fault.
        NoSubjectError: nothing stands out from the background.
        UpstreamError: processing failed or passed the deadline.
    """
    stages = Stages(deadline)
    with native_errors():
        with stages.stage("probe"):
            header = header_to_decode(probe(picture, engine.limits), options)
        with stages.stage("decode"):
            image = engine.decoders.decode(picture, header, deadline)
        choice = engine.sessions.choose(options.subject)
        sight = look(image, choice.model, engine.sessions, stages)
        warnings = image.warnings + sight.warnings
        warnings += (Notice.MODEL_FALLBACK,) if choice.is_fallback else ()
        with stages.stage("matte"):
            matte = make_matte(sight.saliency, image, header) if sight.has_subject else None
        if matte is None:
            raise NoSubjectError(NO_SUBJECT, sight.model, warnings)
        with stages.stage("foreground"):
            is_mask = options.output_format is OutputFormat.MASK
            bgr = image.bgr if is_mask else free_colours(image, matte.drawn)
            cutout = Cutout(bgr, matte.alpha, matte.box, image.icc_profile)
        with stages.stage("encode"):
            encoded = encode(cutout, options, engine.executor)
    return Removal(
        image=encoded,
        source_pixels=header.pixels,
        box=matte.box,
        model=sight.model,
        confidence=sight.confidence,
        warnings=warnings,
        stages_ms=stages.ms,
    )
