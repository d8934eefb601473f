"""Files that other programs read as they were meant."""

import io
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from bgremove.datatypes import Box, Cutout, ImageU8
from bgremove.imaging import png
from bgremove.imaging.encode import encode, encode_jpeg
from bgremove.imaging.png import Canvas, encode_png
from bgremove.options import Encoding, Options, OutputFormat

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SHAPES = [
    (1, 1),
    (300, 200, 2),
    (1, 4000),
    (4000, 1, 3),
    (700, 900, 4),
    (3000, 500),
    (1, 1, 4),
    (2, 70_000, 4),
]


def as_png(image: ImageU8, executor: ThreadPoolExecutor, icc_profile: bytes | None = None) -> bytes:
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    canvas = Canvas(width, height, channels, lambda top, end: image[top:end])
    return encode_png(canvas, executor, icc_profile)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("shape", SHAPES)
def test_png_gives_the_same_pixels_to_opencv_and_pillow(
    shape: tuple[int, ...], executor: ThreadPoolExecutor
) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    encoded = as_png(image, executor)
    read = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    if shape[2:] == (2,):
        read = read[..., [0, 3]]  # OpenCV has no gray with alpha, and reads it as colour
    assert np.array_equal(read.reshape(shape), image)
    with Image.open(io.BytesIO(encoded)) as opened:
        pixels = np.asarray(opened)
    if len(shape) == 3 and shape[2] > 2:
        pixels = pixels[..., [2, 1, 0, 3][: shape[2]]]
    assert np.array_equal(pixels, image)


def test_png_of_a_view_is_that_of_its_copy(executor: ThreadPoolExecutor) -> None:
    image = np.random.default_rng(2).integers(0, 256, (90, 80, 4), dtype=np.uint8)
    view = image[10:70, 5:60]
    assert as_png(view, executor) == as_png(view.copy(), executor)


def test_png_is_the_same_bytes_however_many_threads_share_it() -> None:
    image = np.random.default_rng(3).integers(0, 256, (2000, 900, 4), dtype=np.uint8)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(4) as four:
        assert as_png(image, one) == as_png(image, four)


def test_png_of_flat_pixels_is_small(executor: ThreadPoolExecutor) -> None:
    image = np.zeros((3000, 4000, 4), np.uint8)
    assert len(as_png(image, executor)) < image.size / 200


def test_png_carries_a_colour_profile_and_nothing_else(executor: ThreadPoolExecutor) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    with Image.open(io.BytesIO(as_png(image, executor, SRGB))) as opened:
        opened.load()
        assert opened.info == {"icc_profile": SRGB}
    with Image.open(io.BytesIO(as_png(image, executor))) as opened:
        opened.load()
        assert opened.info == {}


def test_adler32_of_parts_is_that_of_the_whole() -> None:
    import zlib

    rng = np.random.default_rng(4)
    for first, second in ((0, 1), (1, 0), (5551, 5553), (100_000, 70_001)):
        a, b = rng.bytes(first), rng.bytes(second)
        joined = png._adler32_combine(zlib.adler32(a), zlib.adler32(b), len(b))
        assert joined == zlib.adler32(a + b)


def test_jpeg_leaves_blocks_without_subject_exactly_white() -> None:
    bgr = np.full((160, 160, 3), 255, np.uint8)
    bgr[40:90, 50:100] = np.random.default_rng(6).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode_jpeg(bgr))) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    blocks = bgr.reshape(10, 16, 10, 16, 3).transpose(0, 2, 1, 3, 4)
    read = pixels.reshape(10, 16, 10, 16, 3).transpose(0, 2, 1, 3, 4)
    untouched = (blocks == 255).all(axis=(2, 3, 4))
    assert untouched.sum() > 50
    assert (read[untouched] == 255).all()


def test_jpeg_is_not_subsampled_and_carries_only_a_profile() -> None:
    bgr = np.full((64, 64, 3), 200, np.uint8)
    encoded = encode_jpeg(bgr, SRGB)
    with Image.open(io.BytesIO(encoded)) as opened:
        assert [layer[1:3] for layer in vars(opened)["layer"]] == [(1, 1)] * 3
        assert opened.info["icc_profile"] == SRGB
        assert "exif" not in opened.info


DENSITY = (11_811, 5906)  # pixels a metre: 300 by 150 an inch


def ball(colour: tuple[int, int, int]) -> Cutout:
    """Draw a ball with a soft edge, 90 by 120."""
    y, x = np.mgrid[:120, :90]
    alpha = np.clip(30 - np.hypot(y - 60, x - 45), 0, 1).astype(np.float32)
    return Cutout(
        np.full((120, 90, 3), colour, np.uint8), alpha, Box(30, 15, 60, 60), None, DENSITY
    )


def opened(cutout: Cutout, options: Options, executor: ThreadPoolExecutor) -> Image.Image:
    encoded = encode(cutout, options, executor)
    picture = Image.open(io.BytesIO(encoded.data))
    assert picture.get_format_mimetype() == encoded.content_type == options.content_type
    assert picture.size == (encoded.width, encoded.height)
    picture.load()
    return picture


GRAY, RED = (77, 77, 77), (30, 40, 200)


@pytest.mark.parametrize(
    ("colour", "options", "mode"),
    [
        (RED, Options(), "RGBA"),
        (GRAY, Options(), "LA"),
        (RED, Options(output_format=OutputFormat.MASK), "L"),
        (RED, Options(output_format=OutputFormat.WHITE_BG), "RGB"),
        (GRAY, Options(output_format=OutputFormat.CROP), "LA"),
        (GRAY, Options(output_format=OutputFormat.WHITE_BG), "RGB"),
        (GRAY, Options(output_format=OutputFormat.WHITE_BG, encoding=Encoding.PNG), "RGB"),
    ],
)
def test_gray_cutouts_need_one_channel_for_their_colours(
    colour: tuple[int, int, int], options: Options, mode: str, executor: ThreadPoolExecutor
) -> None:
    assert opened(ball(colour), options, executor).mode == mode


def test_gray_with_alpha_holds_the_same_pixels(executor: ThreadPoolExecutor) -> None:
    plain = ball(GRAY)
    profile = Cutout(plain.bgr, plain.alpha, plain.box, SRGB)
    gray = opened(ball(GRAY), Options(), executor).convert("RGBA")
    coloured = opened(profile, Options(), executor)
    assert coloured.mode == "RGBA"  # a profile for RGB needs three channels
    assert np.array_equal(np.asarray(gray), np.asarray(coloured))


@pytest.mark.parametrize("output_format", [OutputFormat.TRANSPARENT, OutputFormat.WHITE_BG])
def test_density_is_carried(output_format: OutputFormat, executor: ThreadPoolExecutor) -> None:
    picture = opened(ball(RED), Options(output_format=output_format), executor)
    assert picture.info["dpi"] == pytest.approx((300, 150), abs=0.05)


def test_a_picture_without_density_gets_none(executor: ThreadPoolExecutor) -> None:
    plain = replace(ball(RED), density=None)
    assert "dpi" not in opened(plain, Options(), executor).info


def test_webp_keeps_alpha_exactly_and_colours_closely(executor: ThreadPoolExecutor) -> None:
    webp = opened(ball(RED), Options(encoding=Encoding.WEBP), executor)
    png_ = opened(ball(RED), Options(), executor)
    ours, theirs = np.asarray(webp).astype(int), np.asarray(png_).astype(int)
    assert np.array_equal(ours[..., 3], theirs[..., 3])
    seen = np.abs(ours - theirs)[..., :3] * theirs[..., 3:] / 255
    assert seen.max() <= 12
    assert set(webp.info) <= {"loop", "background", "timestamp", "duration"}


def test_webp_on_white_is_exactly_white_away_from_the_subject(executor: ThreadPoolExecutor) -> None:
    options = Options(output_format=OutputFormat.WHITE_BG, encoding=Encoding.WEBP)
    pixels = np.asarray(opened(ball(RED), options, executor))
    assert (pixels[:16] == 255).all()
    assert (pixels[-16:] == 255).all()


def test_a_strip_stands_on_its_own_rows() -> None:
    """Rows that differ from one call to the next, as resampled ones may, harm no other row."""
    calls = itertools.count()

    def rows(top: int, end: int) -> ImageU8:
        shift = next(calls) % 2
        return np.full((end - top, 2000, 4), 100 + shift, np.uint8)

    with ThreadPoolExecutor(1) as executor:
        data = encode_png(Canvas(2000, 2000, 4, rows), executor)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(decoded)) == {100, 101}
