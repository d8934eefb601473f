"""The recipe of a removal: a picture in, its subject out.

Each step is a plain function that takes frozen records and returns one. `Stages` times each step
and checks the deadline after it; the room limits the memory of the pictures in progress.
"""

from __future__ import annotations

from contextlib import ExitStack

from bgremove import cost
from bgremove.datatypes import Cut, Cutout, DecodedImage, Removal
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.imaging.encode import encoder
from bgremove.imaging.intake import read_header, read_pixels
from bgremove.imaging.placement import check_answer, check_canvas, place
from bgremove.matting.colours import free_colours
from bgremove.options import Options, OutputFormat
from bgremove.room import Claim
from bgremove.sight.subject import draw_matte, look
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
        claim: Takes the memory of the picture, for a caller that gives it back later; None gives
            it back at the end.

    Raises:
        ImageError: The picture is invalid.
        ValidationError: The canvas or the answer is over a limit.
        NoSubjectError: Nothing stands out from the background.
        OverloadedError: Other pictures held the memory for too long.
        UpstreamError: Processing failed or passed the deadline.

    """
    stages = Stages(deadline)
    with ExitStack() as own:
        memory = claim or own.enter_context(engine.room.claim())
        cut = _cut_out(picture, options, engine, stages, memory)
        removal = Removal.around(cut, stages.ms)
        with stages.stage("encode", is_last=True):
            encode = encoder(cut.cutout, options, engine.executor)
            del cut  # where the canvas is composed, this frees the cutout
            image = encode()
    return removal(image)


def cut_out(picture: bytes | DecodedImage, options: Options, engine: Engine, stages: Stages) -> Cut:
    """Cut the subject out of a picture, a file or pixels within the limits.

    Raises the errors of `remove_background`.
    """
    with engine.room.claim() as claim:
        return _cut_out(picture, options, engine, stages, claim)


def _cut_out(
    picture: bytes | DecodedImage, options: Options, engine: Engine, stages: Stages, claim: Claim
) -> Cut:
    check_canvas(options, engine.limits.max_pixels)
    with stages.stage("probe"):
        header = read_header(picture, options, engine.limits)
    claim.take(cost.peak_bytes(header, options), stages.deadline)
    with stages.stage("decode"):
        image = read_pixels(picture, header, engine.decoders, stages.deadline)
    sight = look(image, options.subject, engine.sessions, stages)
    found = draw_matte(sight, image, header, options.subject, stages)
    matte = found.matte
    with stages.stage("foreground"):
        keeps_colours = sight.is_own_alpha or options.output_format is OutputFormat.MASK
        bgr = image.bgr if keeps_colours else free_colours(image, matte.drawn)
        cutout = Cutout(bgr, matte.alpha, matte.box, image.icc_profile, header.density)
    placement = place(cutout, options)
    check_answer(placement, options, engine.limits.max_pixels)
    warnings = found.warnings + placement.warnings
    return Cut(cutout, header.pixels, sight.model, found.confidence, warnings)
