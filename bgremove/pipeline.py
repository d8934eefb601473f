"""The recipe: an uploaded picture in, its subject out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2

from bgremove.datatypes import (
    ArrayF32,
    Cutout,
    EncodedImage,
    ImageU8,
    OutputFormat,
    Removal,
    RemovalRequest,
    WhiteFormat,
)
from bgremove.deadline import Deadline
from bgremove.errors import NoSubjectError, UpstreamError
from bgremove.imaging.compose import binary_mask, crop, on_white, transparent
from bgremove.imaging.decoder_pool import DecoderPool
from bgremove.imaging.encode import as_jpeg, as_png
from bgremove.imaging.png import Canvas
from bgremove.imaging.probe import Limits, probe
from bgremove.inference.sessions import FALLBACK_WARNING, Sessions
from bgremove.matting.box import foreground_box
from bgremove.matting.foreground import estimate_foreground
from bgremove.matting.refine import refine
from bgremove.sight import look
from bgremove.stages import Stages

Compose = Callable[[ImageU8, ArrayF32], ImageU8]
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


def remove_background(request: RemovalRequest, engine: Engine, deadline: Deadline) -> Removal:
    """Cut the subject out of a picture.

    Raises ImageError where the picture is at fault, NoSubjectError where nothing stands out, and
    UpstreamError where processing failed or passed the deadline.
    """
    stages = Stages(deadline)
    try:
        with stages.stage("probe"):
            header = probe(request.image, engine.limits)
        with stages.stage("decode"):
            image = engine.decoders.decode(request.image, header, deadline)
        choice = engine.sessions.choose(request.subject)
        sight = look(image, choice.model, engine.sessions, stages)
        if not sight.has_subject:
            raise NoSubjectError(NO_SUBJECT)
        with stages.stage("matte"):
            alpha = refine(sight.saliency, image.bgr)
            if image.alpha is not None:
                alpha *= image.alpha
            box = foreground_box(alpha)
        if box is None:
            raise NoSubjectError(NO_SUBJECT)
        with stages.stage("foreground"):
            opaque = request.output_format is OutputFormat.MASK
            bgr = image.bgr if opaque else estimate_foreground(image.bgr, alpha)
            cutout = Cutout(bgr, alpha, box, image.icc_profile)
        with stages.stage("encode"):
            encoded = _encode(cutout, request, engine.executor)
    except MemoryError as error:
        raise UpstreamError("The server is out of memory", private=repr(error)) from error
    except cv2.error as error:
        raise UpstreamError("The picture could not be processed", private=str(error)) from error
    return Removal(
        image=encoded,
        source_pixels=header.pixels,
        box=box,
        model="+".join(sight.models),
        confidence=sight.confidence,
        warnings=image.warnings + ((FALLBACK_WARNING,) if choice.is_fallback else ()),
        stages_ms=stages.ms,
    )


def _encode(cutout: Cutout, request: RemovalRequest, executor: Executor) -> EncodedImage:
    profile = cutout.icc_profile
    match request.output_format:
        case OutputFormat.MASK:
            return as_png(_canvas(cutout, 1, lambda _, alpha: binary_mask(alpha)), executor)
        case OutputFormat.TRANSPARENT:
            return as_png(_canvas(cutout, 4, transparent), executor, profile)
        case OutputFormat.CROP:
            return as_png(_canvas(crop(cutout), 4, transparent), executor, profile)
        case OutputFormat.WHITE_BG if request.white_format is WhiteFormat.PNG:
            return as_png(_canvas(cutout, 3, on_white), executor, profile)
        case OutputFormat.WHITE_BG:
            return as_jpeg(on_white(cutout.bgr, cutout.alpha), profile)


def _canvas(cutout: Cutout, channels: int, compose: Compose) -> Canvas:
    height, width = cutout.alpha.shape

    def rows(top: int, end: int) -> ImageU8:
        return compose(cutout.bgr[top:end], cutout.alpha[top:end])

    return Canvas(width, height, channels, rows)
