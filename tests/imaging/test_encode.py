import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from bgremove.datatypes import EncodedImage, ImageU8
from bgremove.imaging import png
from bgremove.imaging.encode import as_jpeg
from bgremove.imaging.encode import as_png as canvas_as_png
from bgremove.imaging.png import Canvas

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SHAPES = [(1, 1), (1, 4000), (4000, 1, 3), (700, 900, 4), (3000, 500), (1, 1, 4), (2, 70_000, 4)]


def as_png(
    image: ImageU8, executor: ThreadPoolExecutor, icc_profile: bytes | None = None
) -> EncodedImage:
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    canvas = Canvas(width, height, channels, lambda top, end: image[top:end])
    return canvas_as_png(canvas, executor, icc_profile)


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
    assert encoded.content_type == "image/png"
    assert (encoded.height, encoded.width) == shape[:2]
    read = cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read.reshape(shape), image)
    with Image.open(io.BytesIO(encoded.data)) as opened:
        pixels = np.asarray(opened)
    if len(shape) == 3:
        pixels = pixels[..., [2, 1, 0, 3][: shape[2]]]
    assert np.array_equal(pixels, image)


def test_png_of_a_view_is_that_of_its_copy(executor: ThreadPoolExecutor) -> None:
    image = np.random.default_rng(2).integers(0, 256, (90, 80, 4), dtype=np.uint8)
    view = image[10:70, 5:60]
    assert as_png(view, executor).data == as_png(view.copy(), executor).data


def test_png_is_the_same_bytes_however_many_threads_share_it() -> None:
    image = np.random.default_rng(3).integers(0, 256, (2000, 900, 4), dtype=np.uint8)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(4) as four:
        assert as_png(image, one).data == as_png(image, four).data


def test_png_of_flat_pixels_is_small(executor: ThreadPoolExecutor) -> None:
    image = np.zeros((3000, 4000, 4), np.uint8)
    assert len(as_png(image, executor).data) < image.size / 200


def test_png_carries_a_colour_profile_and_nothing_else(executor: ThreadPoolExecutor) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    with Image.open(io.BytesIO(as_png(image, executor, SRGB).data)) as opened:
        opened.load()
        assert opened.info == {"icc_profile": SRGB}
    with Image.open(io.BytesIO(as_png(image, executor).data)) as opened:
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
    with Image.open(io.BytesIO(as_jpeg(bgr).data)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    blocks = bgr.reshape(10, 16, 10, 16, 3).transpose(0, 2, 1, 3, 4)
    read = pixels.reshape(10, 16, 10, 16, 3).transpose(0, 2, 1, 3, 4)
    untouched = (blocks == 255).all(axis=(2, 3, 4))
    assert untouched.sum() > 50
    assert (read[untouched] == 255).all()


def test_jpeg_is_not_subsampled_and_carries_only_a_profile() -> None:
    bgr = np.full((64, 64, 3), 200, np.uint8)
    encoded = as_jpeg(bgr, SRGB)
    with Image.open(io.BytesIO(encoded.data)) as opened:
        assert [layer[1:3] for layer in opened.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
        assert opened.info["icc_profile"] == SRGB
        assert "exif" not in opened.info
    assert encoded.content_type == "image/jpeg"
