"""The pipeline of a removal, from a picture to its cut-out subject."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from bgremove.datatypes import (
    Cutout,
    DecodedImage,
    ImageHeader,
    ImageType,
    Notice,
    Options,
    OutputFormat,
    Removal,
)
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.imaging.encode import encode
from bgremove.imaging.placement import check_answer, check_canvas, place
from bgremove.imaging.probe import probe
from bgremove.imaging.reduction import header_to_decode
from bgremove.matting.colours import free_colours
from bgremove.matting.presence import LOW_CONFIDENCE
from bgremove.native import native_errors
from bgremove.stages import Stages
from bgremove.subject import find_subject


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A cutout before it is encoded; the other fields are those of `Removal`."""

    cutout: Cutout
    source_pixels: int
    model: str
    confidence: float
    warnings: tuple[str, ...]


def remove_background(
    picture: bytes, options: Options, engine: Engine, deadline: Deadline
) -> Removal:
    """Cut the subject out of a picture and encode the result.

    Raises:
        ImageError: the picture is invalid.
        ValidationError: the canvas or the answer is over a limit.
        NoSubjectError: nothing stands out from the background.
        UpstreamError: processing failed or passed the deadline.
    """
    stages = Stages(deadline)
    cut = cut_out(picture, options, engine, stages)
    with (
        native_errors(),
        _room_of_answer(cut, options, engine, deadline),
        stages.stage("encode", is_last=True),
    ):
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
    """Cut the subject out of a picture, a file or pixels within the limits.

    Raises the errors of `remove_background`.
    """
    check_canvas(options, engine.limits.max_pixels)
    with native_errors():
        header = _header(picture, options, engine, stages)
    with native_errors(), engine.room.held(header.pixels, stages.deadline):
        image = _pixels(picture, header, engine, stages)
        found = find_subject(image, header, options.subject, engine.sessions, stages)
        warnings = found.warnings
        warnings += (Notice.LOW_CONFIDENCE,) if found.confidence < LOW_CONFIDENCE else ()
        with stages.stage("foreground"):
            keep = found.is_unmixed or options.output_format is OutputFormat.MASK
            bgr = image.bgr if keep else free_colours(image, found.matte.drawn)
            cutout = Cutout(
                bgr, found.matte.alpha, found.matte.box, image.icc_profile, header.density
            )
        placement = place(cutout, options)
        check_answer(placement, options, engine.limits.max_pixels)
        warnings += (Notice.ENLARGED,) if placement.scale > 1 else ()
    return Cut(cutout, header.pixels, found.model, found.confidence, warnings)


def _room_of_answer(
    cut: Cut, options: Options, engine: Engine, deadline: Deadline
) -> AbstractContextManager[None]:
    """Reserve room for an answer that may be larger than its picture, or is encoded as a whole."""
    if not options.extras:
        return nullcontext()
    placement = place(cut.cutout, options)
    return engine.room.held(placement.width * placement.height, deadline)


def _header(
    picture: bytes | DecodedImage, options: Options, engine: Engine, stages: Stages
) -> ImageHeader:
    if isinstance(picture, DecodedImage):
        return ImageHeader(ImageType.PNG, *picture.size)
    with stages.stage("probe"):
        return header_to_decode(probe(picture, engine.limits), options)


def _pixels(
    picture: bytes | DecodedImage, header: ImageHeader, engine: Engine, stages: Stages
) -> DecodedImage:
    if isinstance(picture, DecodedImage):
        return picture
    with stages.stage("decode"):
        return engine.decoders.decode(picture, header, stages.deadline)
