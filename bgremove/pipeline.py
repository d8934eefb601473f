"""The recipe of a removal: a picture in, its subject out.

Each step is a plain function that takes frozen records and returns one. `Stages` times each step
and checks the deadline after it; the room limits the memory of the pictures in progress.
"""

from __future__ import annotations

from contextlib import nullcontext

from bgremove import cost
from bgremove.datatypes import Cut, Cutout, DecodedImage, Removal, Report
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.imaging.encode import encoder
from bgremove.imaging.intake import read_header, read_pixels
from bgremove.imaging.placement import check_answer, check_canvas, place
from bgremove.matting.foreground import subject_colours
from bgremove.options import Options, OutputFormat
from bgremove.room import Claim
from bgremove.sight.subject import find_subject
from bgremove.stages import Stages


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
        claim: Takes the memory of the picture. A caller that gives one releases it; without one,
            the memory is released on return.

    Raises:
        ImageError: The picture is invalid.
        ValidationError: The canvas or the answer is over a limit.
        NoSubjectError: Nothing stands out from the background.
        OverloadedError: Other pictures held the memory for too long.
        UpstreamError: Processing failed or passed the deadline.

    """
    stages = Stages(deadline)
    with nullcontext(claim) if claim else engine.room.claim() as memory:
        cut = cut_out(picture, options, engine, stages, memory)
        report = cut.report
        with stages.stage("encode", is_last=True):
            encode = encoder(cut.cutout, options, engine.executor)
            del cut  # frees its pixels: the encoder of JPEG and WebP has composed its canvas
            image = encode()
    return Removal.of(report, image, stages.ms)


def cut_out(
    picture: bytes | DecodedImage, options: Options, engine: Engine, stages: Stages, claim: Claim
) -> Cut:
    """Cut the subject out of a picture, a file or pixels within the limits.

    ``claim`` takes the memory of the picture. Raises the errors of `remove_background`.
    """
    check_canvas(options, engine.limits.max_pixels)
    with stages.stage("probe"):
        header = read_header(picture, options, engine.limits)
    claim.take(cost.peak_bytes(header, options), stages.deadline)
    with stages.stage("decode"):
        image = read_pixels(picture, header, engine.decoders, stages.deadline)
    found = find_subject(image, header, options.subject, engine.sessions, stages)
    matte = found.matte
    with stages.stage("foreground"):
        keeps_colours = found.is_own_alpha or options.output_format is OutputFormat.MASK
        bgr = image.bgr if keeps_colours else subject_colours(image, matte.drawn)
        cutout = Cutout(bgr, matte.alpha, matte.box, image.icc_profile, header.density)
    placement = place(cutout, options)  # for the check and the warning; the encoder places again
    check_answer(placement, options, engine.limits.max_pixels)
    warnings = found.warnings + placement.warnings
    return Cut(cutout, Report(header.pixels, matte.box, found.model, found.confidence, warnings))
