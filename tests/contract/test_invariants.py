"""What holds of every answer, whatever the picture: its size, mode, alpha, white, mask, box."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.http import Answer, Door, FlaskDoor, file, form, post, text

MODES = {"JPEG": ["L", "RGB", "CMYK"], "BMP": ["1", "L", "P", "RGB"], "GIF": ["L", "P"]}
MODES |= {"PNG": ["1", "L", "LA", "P", "RGB", "RGBA"], "WEBP": ["RGB", "RGBA"]}
ORIENTED = ("JPEG", "PNG", "WEBP")

kinds = st.sampled_from([(kind, mode) for kind, modes in MODES.items() for mode in modes])
sides = st.integers(1, 90)


def picture(kind: str, mode: str, width: int, height: int, orientation: int, seed: int) -> bytes:
    """Draw a bright patch on a dark, noisy ground; transparent at random where the mode can be."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 40, (height, width, 4), dtype=np.uint8)
    top, left = rng.integers(0, height), rng.integers(0, width)
    patch = (slice(top, top + 1 + height // 2), slice(left, left + 1 + width // 2))
    pixels[patch] = rng.integers(230, 256, 4)
    pixels[..., 3] = np.where(rng.random((height, width)) < 0.3, 255, pixels[..., 3])
    buffer = io.BytesIO()
    options = {}
    if kind in ORIENTED:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def ask(door: Door, data: bytes, output_format: str, accept: str = "*/*") -> Answer:
    body = form(file("image", data), text("output_format", output_format))
    return post(door, body, Accept=accept)


def opened(answer: Answer) -> Image.Image:
    assert answer.status == 200
    image = Image.open(io.BytesIO(answer.body))
    assert (int(answer.headers["x-width"]), int(answer.headers["x-height"])) == image.size
    assert Image.MIME[str(image.format)] == answer.headers["content-type"]
    assert "exif" not in image.info
    return image


def check(door: Door, data: bytes, size: tuple[int, int]) -> bool:
    """Ask for every format and hold the answers against each other; False where nothing is seen."""
    first = ask(door, data, "transparent")
    if first.status == 400:
        assert first.json()["error"]["code"] == "NO_SUBJECT_DETECTED"
        return False
    cutout = opened(first)
    assert cutout.mode in ("RGBA", "LA")  # a gray picture has one channel for its colours
    assert cutout.size == size
    pixels = np.asarray(cutout.convert("RGBA"))
    alpha = pixels[..., 3]
    far = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    assert (pixels[far] == 0).all()
    assert ask(door, data, "transparent").body == first.body

    names = ("left", "top", "width", "height")
    left, top, width, height = (int(first.headers[f"x-foreground-{name}"]) for name in names)
    assert 0 <= left < left + width <= size[0]
    assert 0 <= top < top + height <= size[1]
    crop = opened(ask(door, data, "crop"))
    assert np.array_equal(
        np.asarray(crop.convert("RGBA")), pixels[top : top + height, left : left + width]
    )
    assert alpha[top : top + height, left : left + width].any()

    mask = opened(ask(door, data, "mask"))
    assert (mask.mode, mask.size) == ("L", size)
    assert np.array_equal(np.asarray(mask), np.where(alpha >= 128, 255, 0))

    white = opened(ask(door, data, "white_bg", "image/png"))
    assert (white.mode, white.size) == ("RGB", size)
    assert (np.asarray(white)[alpha == 0] == 255).all()
    solid = alpha == 255
    assert np.array_equal(np.asarray(white)[solid], pixels[solid][:, :3])
    assert opened(ask(door, data, "white_bg")).size == size
    return True


seen: list[bool] = []


@given(kinds, sides, sides, st.integers(1, 8), st.integers(0, 2**32))
@example(("JPEG", "RGB"), 4000, 30, 6, 1)
@example(("PNG", "RGBA"), 1, 4000, 5, 2)
@example(("PNG", "1"), 1, 1, 1, 3)
@example(("GIF", "P"), 1, 2, 1, 4)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_holds_of_every_answer(
    flask_door: FlaskDoor,
    kind: tuple[str, str],
    width: int,
    height: int,
    orientation: int,
    seed: int,
) -> None:
    turned = kind[0] in ORIENTED and orientation >= 5
    data = picture(*kind, width, height, orientation, seed)
    seen.append(check(flask_door, data, (height, width) if turned else (width, height)))


def test_most_of_those_pictures_had_a_subject() -> None:
    """Run after the one above, which would hold of pictures that are all refused."""
    if not seen:
        pytest.skip("nothing was asked")
    assert sum(seen) > len(seen) / 2


def drawn(width: int, height: int, box: tuple[int, int, int, int]) -> bytes:
    """Return a PNG, black but for a white box (left, top, right, bottom)."""
    image = Image.new("RGB", (width, height))
    image.paste((255, 255, 255), box)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((1, 1), (0, 0, 1, 1)),
        ((1, 4000), (0, 1000, 1, 3000)),
        ((4000, 1), (1000, 0, 3000, 1)),
        ((8000, 6000), (2000, 1500, 6000, 4500)),
        ((900, 700), (0, 0, 900, 700)),  # fills the picture
        ((900, 700), (0, 300, 900, 400)),  # touches two borders
        ((640, 480), (300, 220, 340, 260)),  # tiny
    ],
    ids=str,
)
def test_extreme_shapes(
    flask_door: FlaskDoor, size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    answer = ask(flask_door, drawn(*size, box), "transparent")
    alpha = np.asarray(opened(answer).convert("RGBA"))[..., 3]
    assert alpha.shape == size[::-1]
    cell = [max(2, 2 * side / 32) for side in size]  # the network's map has 32 cells a side
    left, top = (int(answer.headers[f"x-foreground-{name}"]) for name in ("left", "top"))
    width, height = (int(answer.headers[f"x-foreground-{name}"]) for name in ("width", "height"))
    for found, true, slack in zip(
        (left, top, left + width, top + height), box, (*cell, *cell), strict=True
    ):
        assert abs(found - true) <= slack
    middle = (box[1] + box[3]) // 2, (box[0] + box[2]) // 2
    assert alpha[middle] >= 128  # not 255: the tiny box is two cells of the map
