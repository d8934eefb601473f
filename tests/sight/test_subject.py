"""The ways to a subject, with the real networks: own alpha, a ground's colour, a network's map."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from bgremove.datatypes import Removal
from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.errors import NoSubjectError
from bgremove.options import Encoding, Options, OutputFormat, Subject
from bgremove.pipeline import remove_background
from bgremove.settings import Settings
from eval.draw.__main__ import draw
from eval.draw.canvas import Drawing
from eval.metrics import iou


@pytest.fixture(scope="module")
def engine(weights: Path) -> Iterator[Engine]:
    engine = build_engine(Settings(weights_dir=weights))
    yield engine
    engine.close()


def run(engine: Engine, picture: bytes, options: Options | None = None) -> Removal:
    return remove_background(picture, options or Options(), engine, Deadline.after(60))


def png(drawing: Drawing) -> bytes:
    order = cv2.COLOR_RGBA2BGRA if drawing.pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    return cv2.imencode(".png", cv2.cvtColor(drawing.pixels, order))[1].tobytes()


def read(removal: Removal) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(removal.image.data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("subject", Subject)
@pytest.mark.parametrize("number", range(4))
def test_what_is_cut_out_comes_back_as_it_was(
    engine: Engine, number: int, subject: Subject
) -> None:
    drawing = draw("transparent", number)
    removal = run(engine, png(drawing), Options(subject))
    assert removal.warnings == ("already-transparent",)
    assert removal.model == "none"
    pixels = read(removal)
    assert np.array_equal(pixels[..., 3], np.rint(drawing.alpha * 255))
    seen = pixels[..., 3] > 0
    assert np.array_equal(pixels[seen][:, 2::-1], drawing.pixels[seen][:, :3])


def test_its_alpha_makes_the_mask_the_crop_and_the_white_picture(engine: Engine) -> None:
    drawing = draw("transparent", 0)
    picture, alpha = png(drawing), np.rint(drawing.alpha * 255)
    mask = read(run(engine, picture, Options(output_format=OutputFormat.MASK)))
    assert np.array_equal(mask == 255, alpha >= 128)
    removal = run(engine, picture, Options(output_format=OutputFormat.CROP))
    box = removal.box
    window = np.s_[box.top : box.top + box.height, box.left : box.left + box.width]
    assert np.array_equal(read(removal)[..., 3], alpha[window])
    options = Options(output_format=OutputFormat.WHITE_BG, encoding=Encoding.PNG)
    white = read(run(engine, picture, options))
    assert (white[alpha == 0] == 255).all()


def test_a_cut_out_that_is_sent_again_is_unchanged(engine: Engine) -> None:
    source = cv2.imencode(".png", data.astronaut()[..., ::-1])[1].tobytes()
    first = run(engine, source)
    again = run(engine, first.image.data)
    assert np.array_equal(read(first)[..., 3], read(again)[..., 3])
    assert again.image.data == run(engine, again.image.data).image.data


@pytest.mark.parametrize("subject", [Subject.UNIVERSAL, Subject.PRODUCT])
@pytest.mark.parametrize("kind", ["logo", "chain", "frame", "mug", "label", "shirt", "cartoon"])
def test_drawn_pictures(engine: Engine, kind: str, subject: Subject) -> None:
    drawing = draw(kind, 3)
    removal = run(engine, png(drawing), Options(subject))
    assert iou(read(removal)[..., 3] > 127, drawing.alpha > 0.5) > 0.93
    assert removal.confidence > 0.7


@pytest.mark.parametrize("subject", [Subject.UNIVERSAL, Subject.PRODUCT])
def test_no_network_runs_where_colours_decide(engine: Engine, subject: Subject) -> None:
    removal = run(engine, png(draw("logo", 3)), Options(subject))
    assert removal.model == "none"
    assert removal.warnings == ()
    assert list(removal.stages_ms) == ["probe", "decode", "matte", "foreground", "encode"]


@pytest.mark.parametrize("kind", ["label", "page"])
def test_networks_run_where_colours_leave_a_question(engine: Engine, kind: str) -> None:
    removal = run(engine, png(draw(kind, 0)))
    assert removal.model.startswith("u2net")
    assert list(removal.stages_ms) == [
        *("probe", "decode", "load", "preprocess", "inference", "matte", "foreground", "encode")
    ]


@pytest.mark.usefixtures("people_weights")
def test_a_drawing_without_a_person_has_no_person(engine: Engine) -> None:
    with pytest.raises(NoSubjectError) as caught:
        run(engine, png(draw("logo", 3)), Options(Subject.HUMAN))
    assert "face-detection" in caught.value.model


def test_a_graphic_of_another_format_has_the_same_subject(engine: Engine) -> None:
    drawing = draw("logo", 3)
    alpha = read(run(engine, png(drawing)))[..., 3]
    mask = read(run(engine, png(drawing), Options(output_format=OutputFormat.MASK)))
    assert np.array_equal(mask == 255, alpha >= 128)
