import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from bgremove.datatypes import DecodedImage, Removal
from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.errors import DeadlineExceededError, ImageError, NoSubjectError
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.options import Encoding, Options, OutputFormat
from bgremove.pipeline import remove_background
from bgremove.settings import Settings

DEFAULTS = Options()


@pytest.fixture(scope="module")
def engine(weights: Path) -> Iterator[Engine]:
    engine = build_engine(Settings(weights_dir=weights))
    yield engine
    engine.close()


def astronaut(extension: str = ".jpg") -> bytes:
    bgr = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    return cv2.imencode(extension, bgr)[1].tobytes()


def run(
    engine: Engine, picture: bytes, options: Options = DEFAULTS, timeout_s: float = 60
) -> Removal:
    return remove_background(picture, options, engine, Deadline.after(timeout_s))


def opened(removal: Removal) -> Image.Image:
    return Image.open(io.BytesIO(removal.image.data))


def test_a_cutout_is_straight_full_size_and_keeps_the_subjects_colours(engine: Engine) -> None:
    removal = run(engine, astronaut(".png"))
    picture = opened(removal)
    assert (picture.mode, picture.size) == ("RGBA", (512, 512))
    pixels = np.asarray(picture)
    solid = pixels[..., 3] == 255
    assert solid.mean() > 0.2
    assert np.array_equal(pixels[solid][:, :3], data.astronaut()[solid])
    far = cv2.dilate((pixels[..., 3] > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert (pixels[far] == 0).all()
    assert pixels[100, 220, 3] == 255  # her face
    assert pixels[10, 10, 3] == 0


def test_all_formats_agree_on_the_subject(engine: Engine) -> None:
    source = astronaut(".png")
    removals = {kind: run(engine, source, Options(output_format=kind)) for kind in OutputFormat}
    assert len({removal.box for removal in removals.values()}) == 1
    box = removals[OutputFormat.CROP].box
    cutout = np.asarray(opened(removals[OutputFormat.TRANSPARENT]))
    crop = np.asarray(opened(removals[OutputFormat.CROP]))
    rows, columns = slice(box.top, box.top + box.height), slice(box.left, box.left + box.width)
    assert np.array_equal(crop, cutout[rows, columns])
    mask = np.asarray(opened(removals[OutputFormat.MASK]))
    assert mask.shape == (512, 512)
    assert set(np.unique(mask)) == {0, 255}
    assert np.array_equal(mask == 255, cutout[..., 3] >= 128)
    white = opened(removals[OutputFormat.WHITE_BG])
    assert (white.format, white.size) == ("JPEG", (512, 512))


@pytest.mark.parametrize("name", ["astronaut", "chelsea"])
def test_a_mask_drawn_from_a_smaller_decode_is_the_mask_of_the_cutout(
    engine: Engine, name: str
) -> None:
    large = cv2.resize(
        cv2.cvtColor(getattr(data, name)(), cv2.COLOR_RGB2BGR),
        (3041, 3003),
        interpolation=cv2.INTER_CUBIC,
    )
    source = cv2.imencode(".jpg", large)[1].tobytes()
    sizes: list[tuple[int, int]] = []

    class Watched(DecoderPool):
        def decode(self, *args: Any) -> DecodedImage:
            image = super().decode(*args)
            sizes.append(image.size)
            return image

    with Watched(engine.limits) as decoders:
        watched = replace(engine, decoders=decoders)
        mask = run(watched, source, Options(output_format=OutputFormat.MASK))
        cutout = run(watched, source)
    assert sizes == [(1521, 1502), (3041, 3003)]
    assert mask.source_pixels == 3041 * 3003
    subject = np.asarray(opened(cutout))[..., 3] >= 128
    drawn = np.asarray(opened(mask)) == 255
    assert drawn.shape == subject.shape
    assert (drawn & subject).sum() / (drawn | subject).sum() > 0.995
    assert abs(mask.box.left - cutout.box.left) <= 4
    assert abs(mask.box.width - cutout.box.width) <= 8


def test_white_png_is_exact(engine: Engine) -> None:
    source = astronaut(".png")
    options = Options(output_format=OutputFormat.WHITE_BG, encoding=Encoding.PNG)
    white = np.asarray(opened(run(engine, source, options)))
    alpha = np.asarray(opened(run(engine, source)))
    assert (white[alpha[..., 3] == 0] == 255).all()


def test_the_same_bytes_give_the_same_answer(engine: Engine) -> None:
    picture = astronaut()
    assert run(engine, picture).image.data == run(engine, picture).image.data


def test_transparency_of_the_source_is_kept(engine: Engine) -> None:
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:, :200] = 0
    source = np.dstack([cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR), alpha])
    png = cv2.imencode(".png", source)[1].tobytes()
    pixels = np.asarray(opened(run(engine, png)))
    assert (pixels[:, :200, 3] == 0).all()
    assert (pixels[:, 200:, 3] == 255).any()


def test_soft_edges_of_a_source_keep_their_straight_colours(engine: Engine) -> None:
    """A speckled ball whose own edge fades over hidden black: its colours are unmixed already."""
    y, x = np.mgrid[0:400, 0:400]
    distance = np.hypot(y - 200, x - 200)
    alpha = np.clip((130 - distance) / 30, 0, 1)
    speckles = np.random.default_rng(7).integers(90, 210, alpha.shape)
    gray = np.where(alpha > 0, speckles, 0)
    source = np.dstack([gray, gray, gray, np.rint(alpha * 255)]).astype(np.uint8)
    png = cv2.imencode(".png", source)[1].tobytes()
    pixels = np.asarray(opened(run(engine, png)).convert("RGBA")).astype(int)
    soft = (pixels[..., 3] > 20) & (pixels[..., 3] < 235)
    assert soft.sum() > 1000
    assert np.array_equal(pixels[soft][:, 0], gray[soft])


def test_a_picture_that_is_wholly_transparent_has_no_subject(engine: Engine) -> None:
    source = np.dstack([cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR), np.zeros((512, 512))])
    png = cv2.imencode(".png", source.astype(np.uint8))[1].tobytes()
    with pytest.raises(NoSubjectError):
        run(engine, png)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_no_subject(engine: Engine, level: int) -> None:
    png = cv2.imencode(".png", np.full((300, 400, 3), level, np.uint8))[1].tobytes()
    with pytest.raises(NoSubjectError):
        run(engine, png)


def test_a_damaged_picture_is_the_clients_fault(engine: Engine) -> None:
    with pytest.raises(ImageError):
        run(engine, astronaut()[:9000])


def test_the_deadline_is_kept(engine: Engine) -> None:
    with pytest.raises(DeadlineExceededError):
        run(engine, astronaut(), timeout_s=0.001)


def test_every_stage_is_timed(engine: Engine) -> None:
    stages = run(engine, astronaut()).stages_ms
    assert list(stages) == [
        "probe",
        "decode",
        "load",
        "preprocess",
        "inference",
        "matte",
        "foreground",
        "encode",
    ]
