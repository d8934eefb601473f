"""The recipe: an uploaded picture in, its subject out."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import cv2

from bgremove.datatypes import (
    Cutout,
    Options,
    OutputFormat,
    Removal,
)
from bgremove.deadline import Deadline
from bgremove.errors import NoSubjectError, UpstreamError
from bgremove.imaging.compose import MASK_THRESHOLD
from bgremove.imaging.decode import reduced
from bgremove.imaging.decoder_pool import DecoderPool
from bgremove.imaging.encode import encode
from bgremove.imaging.probe import Limits, probe
from bgremove.inference.sessions import FALLBACK_WARNING, Sessions
from bgremove.matting.box import foreground_box
from bgremove.matting.colours import free_colours
from bgremove.matting.refine import at_full_size, refine
from bgremove.sight import look
from bgremove.stages import Stages

# px: a mask is drawn from a JPEG whose shorter side is decoded no smaller than this. Its edge is as
# good, though a pixel of it may differ from the alpha of `transparent`.
MASK_SIDE = 1100
NO_SUBJECT = "No subject stands out from the background of this picture"


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts that outlive a request; one a process."""

    limits: Limits
    decoders: DecoderPool
    sessions: Sessions
    executor: Executor

    def close(self) -> None:
        """End the decoders and threads; for tests and commands, a worker just exits."""
        self.decoders.close()
        self.executor.shutdown()


def remove_background(
    picture: bytes, options: Options, engine: Engine, deadline: Deadline
) -> Removal:
    """Cut the subject out of a picture.

    Raises ImageError where the picture is at fault, NoSubjectError where nothing stands out, and
    UpstreamError where processing failed or passed the deadline.
    """
    stages = Stages(deadline)
    is_mask = options.output_format is OutputFormat.MASK
    try:
        with stages.stage("probe"):
            header = probe(picture, engine.limits)
            if is_mask:
                header = reduced(header, MASK_SIDE)
        with stages.stage("decode"):
            image = engine.decoders.decode(picture, header, deadline)
        choice = engine.sessions.choose(options.subject)
        sight = look(image, choice.model, engine.sessions, stages)
        model = "+".join(sight.models)
        warnings = image.warnings + sight.warnings
        if choice.is_fallback:
            warnings += (FALLBACK_WARNING,)
        if not sight.has_subject:
            raise NoSubjectError(NO_SUBJECT, model, warnings)
        with stages.stage("matte"):
            matte = at_full_size(refine(sight.saliency, image.bgr), header)
            alpha = matte if image.alpha is None else matte * image.alpha
            box = foreground_box(alpha)
        if box is None or cv2.minMaxLoc(alpha)[1] < MASK_THRESHOLD:
            raise NoSubjectError(NO_SUBJECT, model, warnings)
        with stages.stage("foreground"):
            bgr = image.bgr if is_mask else free_colours(image, matte)
            cutout = Cutout(bgr, alpha, box, image.icc_profile)
        with stages.stage("encode"):
            encoded = encode(cutout, options, engine.executor)
    except (MemoryError, OSError) as error:  # OSError: no memory or descriptor for a mapping
        raise UpstreamError("The server is out of memory", private=repr(error)) from error
    except cv2.error as error:
        raise UpstreamError("The picture could not be processed", private=str(error)) from error
    return Removal(
        image=encoded,
        source_pixels=header.pixels,
        box=box,
        model=model,
        confidence=sight.confidence,
        warnings=warnings,
        stages_ms=stages.ms,
    )
