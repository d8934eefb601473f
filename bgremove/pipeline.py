"""The recipe: an uploaded picture in, its subject out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

import cv2

from bgremove.datatypes import (
    Cutout,
    DecodedImage,
    ImageHeader,
    ImageType,
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


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A cutout before it is encoded, with what is known of it; the rest is as in `Removal`."""

    cutout: Cutout
    source_pixels: int
    model: str
    confidence: float
    warnings: tuple[str, ...]


def remove_background(
    picture: bytes, options: Options, engine: Engine, deadline: Deadline
) -> Removal:
    """Cut the subject out of a picture and encode the result.

    Raises what `cut_out` raises.
    """
    stages = Stages(deadline)
    cut = cut_out(picture, options, engine, stages)
    with native_errors(), stages.stage("encode"):
        encoded = encode(cut.cutout, options, engine.executor)
    return Removal(
        image=encoded,
        source_pixels=cut.source_pixels,
        box=cut.cutout.box,
        model=cut.model,
        confidence=cut.confidence,
        warnings=cut.warnings,
        stages_ms=stages.ms,
    )


def cut_out(picture: bytes | DecodedImage, options: Options, engine: Engine, stages: Stages) -> Cut:
    """Cut the subject out of a picture: a file, or pixels within the limits.

    Raises ImageError where the picture is at fault, NoSubjectError where nothing stands out, and
    UpstreamError where processing failed or passed the deadline.
    """
    is_mask = options.output_format is OutputFormat.MASK
    with native_errors():
        image, header = _read(picture, engine, stages, is_mask=is_mask)
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
    return Cut(cutout, header.pixels, model, sight.confidence, warnings)


def _read(
    picture: bytes | DecodedImage, engine: Engine, stages: Stages, *, is_mask: bool
) -> tuple[DecodedImage, ImageHeader]:
    if isinstance(picture, DecodedImage):
        return picture, ImageHeader(ImageType.PNG, *picture.size)
    with stages.stage("probe"):
        header = probe(picture, engine.limits)
        if is_mask:
            header = reduced(header, MASK_SIDE)
    with stages.stage("decode"):
        return engine.decoders.decode(picture, header, stages.deadline), header


@contextmanager
def native_errors() -> Iterator[None]:
    """Raise UpstreamError for what OpenCV and the system raise; the text goes to the log only."""
    try:
        yield
    except (MemoryError, OSError) as error:  # OSError: no memory or descriptor for a mapping
        raise UpstreamError("The server is out of memory", private=repr(error)) from error
    except cv2.error as error:
        raise UpstreamError("The picture could not be processed", private=str(error)) from error
