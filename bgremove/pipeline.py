"""The pipeline of a removal, from a picture to its cut-out subject."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from bgremove import cost
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
from bgremove.imaging.encode import encoder
from bgremove.imaging.placement import check_answer, check_canvas, place
from bgremove.imaging.probe import probe
from bgremove.imaging.reduction import header_to_decode
from bgremove.matting.colours import free_colours
from bgremove.matting.presence import LOW_CONFIDENCE
from bgremove.native import native_errors
from bgremove.room import Claim
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
    picture: bytes,
    options: Options,
    engine: Engine,
    deadline: Deadline,
    claim: Claim | None = None,
) -> Removal:
    """Cut the subject out of a picture and encode the result.

    Args:
        picture: The bytes of the file.
        options: The options of the removal.
        engine: The parts of the process.
        deadline: The end of the work.
        claim: Takes the memory of the picture, for a caller that gives it back later; None gives
            it back at the end.

    Raises:
        ImageError: the picture is invalid.
        ValidationError: the canvas or the answer is over a limit.
        NoSubjectError: nothing stands out from the background.
        OverloadedError: other pictures held the memory for too long.
        UpstreamError: processing failed or passed the deadline.
    """
    stages = Stages(deadline)
    with ExitStack() as own:
        memory = claim or own.enter_context(engine.room.claim())
        cut = _cut_out(picture, options, engine, stages, memory)
        removal = partial(
            Removal,
            source_pixels=cut.source_pixels,
            box=cut.cutout.box,
            model=cut.model,
            confidence=cut.confidence,
            warnings=cut.warnings,
            stages_ms=stages.ms,
        )
        with native_errors(), stages.stage("encode", is_last=True):
            encode = encoder(cut.cutout, options, engine.executor)
            del cut  # where the canvas is composed, this frees the cutout
            encoded = encode()
    return removal(image=encoded)


def cut_out(picture: bytes | DecodedImage, options: Options, engine: Engine, stages: Stages) -> Cut:
    """Cut the subject out of a picture, a file or pixels within the limits.

    Raises the errors of `remove_background`.
    """
    with engine.room.claim() as claim:
        return _cut_out(picture, options, engine, stages, claim)


def _cut_out(
    picture: bytes | DecodedImage,
    options: Options,
    engine: Engine,
    stages: Stages,
    claim: Claim,
) -> Cut:
    check_canvas(options, engine.limits.max_pixels)
    with native_errors():
        header = _header(picture, options, engine, stages)
    claim.take(cost.peak_bytes(header, options), stages.deadline)
    with native_errors():
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
