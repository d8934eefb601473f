"""The recipe: an uploaded picture in, its subject out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np

from bgremove.datatypes import (
    ArrayF32,
    Cutout,
    DecodedImage,
    EncodedImage,
    ImageHeader,
    ImageU8,
    OutputFormat,
    Removal,
    RemovalRequest,
    WhiteFormat,
)
from bgremove.deadline import Deadline
from bgremove.errors import NoSubjectError, UpstreamError
from bgremove.imaging.compose import MASK_THRESHOLD, binary_mask, crop, on_white, transparent
from bgremove.imaging.decode import reduced
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
# px: a mask is drawn from a JPEG whose shorter side is decoded no smaller than this. Its edge is as
# good, though a pixel of it may differ from the alpha of `transparent`.
MASK_SIDE = 1100
HIDDEN_REACH = 16  # of the longer side: how far from transparency its hidden colours may tell
HIDDEN_SIDE = 512  # px: on a larger picture that distance costs seconds
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
            if request.output_format is OutputFormat.MASK:
                header = reduced(header, MASK_SIDE)
        with stages.stage("decode"):
            image = engine.decoders.decode(request.image, header, deadline)
        choice = engine.sessions.choose(request.subject)
        sight = look(image, choice.model, engine.sessions, stages)
        model = "+".join(sight.models)
        warnings = image.warnings + sight.warnings
        if choice.is_fallback:
            warnings += (FALLBACK_WARNING,)
        if not sight.has_subject:
            raise NoSubjectError(NO_SUBJECT, model, warnings)
        with stages.stage("matte"):
            matte = _at_full_size(refine(sight.saliency, image.bgr), header)
            alpha = matte if image.alpha is None else matte * image.alpha
            box = foreground_box(alpha)
        if box is None or cv2.minMaxLoc(alpha)[1] < MASK_THRESHOLD:
            raise NoSubjectError(NO_SUBJECT, model, warnings)
        with stages.stage("foreground"):
            is_mask = request.output_format is OutputFormat.MASK
            bgr = image.bgr if is_mask else _foreground(image, matte)
            cutout = Cutout(bgr, alpha, box, image.icc_profile)
        with stages.stage("encode"):
            encoded = _encode(cutout, request, engine.executor)
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


def _at_full_size(matte: ArrayF32, header: ImageHeader) -> ArrayF32:
    """Enlarge the matte of a picture that was decoded smaller."""
    if header.reduction == 1:
        return matte
    by, (width, height) = header.reduction, header.size
    large = cv2.resize(matte, None, fx=by, fy=by, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[:height, :width], np.float32)


def _foreground(image: DecodedImage, matte: ArrayF32) -> ImageU8:
    """Unmix the edge, but not where the source itself is transparent: there it is unmixed already.

    Nor near that, where the colours hidden under its transparency would pass for a background.
    """
    bgr = estimate_foreground(image.bgr, matte)
    if image.alpha is not None:
        cv2.copyTo(image.bgr, _near_transparency(image.alpha), bgr)
    return bgr


def _near_transparency(alpha: ArrayF32) -> ImageU8:
    """Mark what is within HIDDEN_REACH of a pixel that is not opaque; found on a small picture."""
    hidden = np.asarray(alpha < 1, np.uint8)
    while max(hidden.shape) > HIDDEN_SIDE:
        hidden = cv2.dilate(hidden, np.ones((3, 3), np.uint8))[::2, ::2]  # type: ignore[assignment]
    side = 2 * (max(hidden.shape) // HIDDEN_REACH) + 3
    near = cv2.dilate(hidden, np.ones((side, side), np.uint8))
    size = (alpha.shape[1], alpha.shape[0])
    return np.asarray(cv2.resize(near, size, interpolation=cv2.INTER_NEAREST), np.uint8)


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
