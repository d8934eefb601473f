"""The recipe of a removal: a picture in, its subject out.

Each step is a plain function that takes frozen records and returns one. `Stages` times each step
and checks the deadline after it; the room limits the pixels that are worked on at once.
"""

from __future__ import annotations

from bgremove.datatypes import Cut, Cutout, DecodedImage, Removal
from bgremove.deadline import Deadline
from bgremove.engine import Engine
from bgremove.imaging.encode import encode
from bgremove.imaging.intake import read_header, read_pixels
from bgremove.imaging.placement import check_answer, check_canvas, extra_pixels, place
from bgremove.matting.colours import free_colours
from bgremove.options import Options, OutputFormat
from bgremove.sight.subject import draw_matte, look
from bgremove.stages import Stages


def remove_background(
    picture: bytes, options: Options, engine: Engine, deadline: Deadline
) -> Removal:
    """Cut the subject out of a picture and encode the result.

    Raises:
        ImageError: The picture is invalid.
        ValidationError: The canvas or the answer is over a limit.
        NoSubjectError: Nothing stands out from the background.
        UpstreamError: Processing failed or passed the deadline.

    """
    stages = Stages(deadline)
    cut = cut_out(picture, options, engine, stages)
    with (
        engine.room.held(extra_pixels(cut.cutout, options), deadline),
        stages.stage("encode", is_last=True),
    ):
        image = encode(cut.cutout, options, engine.executor)
    return Removal.of(cut, image, stages.ms)


def cut_out(picture: bytes | DecodedImage, options: Options, engine: Engine, stages: Stages) -> Cut:
    """Cut the subject out of a picture, a file or pixels within the limits.

    Raises the errors of `remove_background`.
    """
    check_canvas(options, engine.limits.max_pixels)
    with stages.stage("probe"):
        header = read_header(picture, options, engine.limits)
    with engine.room.held(header.pixels, stages.deadline):
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
