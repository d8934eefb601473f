"""Where a subject lies: its box, its margin, its canvas."""

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bgremove.datatypes import Box, Cutout, ImageU8
from bgremove.errors import ValidationError
from bgremove.imaging.encode import encode
from bgremove.imaging.placement import check_answer, check_canvas, place
from bgremove.options import Encoding, Margin, Options, OutputFormat

CROP, WHITE_BG = OutputFormat.CROP, OutputFormat.WHITE_BG


def subject(size: tuple[int, int], box: Box) -> Cutout:
    """Draw an ellipse that fills a box, opaque, of two colours."""
    width, height = size
    alpha = np.zeros((height, width), np.float32)
    centre = (box.left + (box.width - 1) / 2, box.top + (box.height - 1) / 2)
    y, x = np.mgrid[:height, :width]
    across, down = (x - centre[0]) / (box.width / 2), (y - centre[1]) / (box.height / 2)
    alpha[across**2 + down**2 <= 1] = 1
    bgr = np.full((height, width, 3), (20, 200, 90), np.uint8)
    bgr[:, ::2] = (90, 30, 40)
    return Cutout(bgr, alpha, box)


def answered(cutout: Cutout, **given: Any) -> ImageU8:
    """Return the answer as its file holds it: RGBA, or RGB on a ground."""
    options = Options(output_format=given.pop("output_format", CROP), **given)
    with ThreadPoolExecutor(2) as pool:
        data = encode(cutout, options, pool).data
    return np.asarray(Image.open(io.BytesIO(data)))


def box_of(seen: Any) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is set."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


BOX = Box(top=40, left=10, width=60, height=30)


def test_without_margin_or_canvas_crop_is_the_box_and_white_the_whole_picture() -> None:
    cutout = subject((100, 80), BOX)
    assert answered(cutout).shape == (30, 60, 4)
    assert answered(cutout, output_format=WHITE_BG, encoding=Encoding.PNG).shape == (80, 100, 3)


@pytest.mark.parametrize(
    ("margin", "pixels"), [(Margin(pixels=7), 7), (Margin(share=0.1), 6), (Margin(share=0.5), 30)]
)
@pytest.mark.parametrize("output_format", [CROP, WHITE_BG])
def test_a_margin_is_left_all_around_even_beyond_the_picture(
    margin: Margin, pixels: int, output_format: OutputFormat
) -> None:
    pixels_ = answered(
        subject((100, 80), BOX), output_format=output_format, margin=margin, encoding=Encoding.PNG
    )
    assert pixels_.shape[:2] == (30 + 2 * pixels, 60 + 2 * pixels)
    seen = pixels_[..., 3] > 0 if output_format is CROP else (pixels_ != 255).any(axis=2)
    assert box_of(seen) == (pixels, pixels, pixels + 60, pixels + 30)


sides = st.integers(16, 400)


@settings(max_examples=60, deadline=None)
@given(
    canvas=st.tuples(sides, sides),
    box=st.tuples(st.integers(0, 99), st.integers(0, 79), st.integers(8, 100), st.integers(8, 80)),
    margin=st.one_of(
        st.floats(0, 0.5).map(lambda share: Margin(share=share)),
        st.integers(0, 7).map(lambda pixels: Margin(pixels=pixels)),
    ),
)
def test_on_a_canvas_the_subject_is_centred_fits_and_keeps_its_shape(
    canvas: tuple[int, int], box: tuple[int, int, int, int], margin: Margin
) -> None:
    left, top, width, height = box
    box_ = Box(min(top, 80 - min(height, 80)), min(left, 100 - width), width, min(height, 80))
    rgba = answered(subject((100, 80), box_), canvas=canvas, margin=margin)
    assert rgba.shape[:2] == canvas[::-1]
    around = 2 * margin.share * max(box_.width, box_.height)
    scale = min(
        (canvas[0] - 2 * margin.pixels) / (box_.width + around),
        (canvas[1] - 2 * margin.pixels) / (box_.height + around),
    )
    x, y, right, bottom = box_of(rgba[..., 3] > 24)
    assert abs((x + right) - canvas[0]) <= 2
    assert abs((y + bottom) - canvas[1]) <= 2
    blur = 2 + scale  # a pixel of the picture may be several of the answer, with soft ends
    assert abs((right - x) - box_.width * scale) <= blur
    assert abs((bottom - y) - box_.height * scale) <= blur


@pytest.mark.parametrize("canvas", [(31, 17), (160, 160), (900, 500)])
def test_the_ground_is_exact_outside_the_subject(canvas: tuple[int, int]) -> None:
    cutout = subject((100, 80), BOX)
    rgba = answered(cutout, canvas=canvas, margin=Margin(share=0.1))
    white = answered(
        cutout,
        output_format=WHITE_BG,
        encoding=Encoding.PNG,
        canvas=canvas,
        margin=Margin(share=0.1),
    )
    assert (white[rgba[..., 3] == 0] == 255).all()
    opaque = rgba[..., 3] == 255
    assert np.array_equal(white[opaque], rgba[opaque][:, :3])
    seen = cv2.dilate((rgba[..., 3] > 128).astype(np.uint8), np.ones((3, 3), np.uint8))
    scale = place(subject((100, 80), BOX), Options(output_format=CROP, canvas=canvas)).scale
    reach = 2 * int(np.ceil(max(scale, 1.0))) + 1
    halo = cv2.dilate(seen, np.ones((reach, reach), np.uint8))
    assert not rgba[..., 3][halo == 0].any()


def test_a_canvas_of_the_boxs_size_changes_no_pixel() -> None:
    cutout = subject((100, 80), BOX)
    assert np.array_equal(answered(cutout, canvas=(60, 30)), answered(cutout))
    wide = answered(cutout, canvas=(90, 30))
    assert np.array_equal(wide[:, 15:75], answered(cutout))


def test_edges_stay_free_of_colours_from_beneath_transparency() -> None:
    """Resampling weighs colours by alpha: what hides where alpha is 0 has no say."""
    cutout = subject((100, 80), BOX)
    cutout.bgr[...] = (0, 0, 255)
    cutout.bgr[cutout.alpha == 0] = (255, 255, 0)
    for canvas in ((40, 40), (400, 400)):
        rgba = answered(cutout, canvas=canvas)
        visible = rgba[rgba[..., 3] > 0]
        assert np.abs(visible[:, :3].astype(int) - (255, 0, 0)).max() <= 1


def test_a_canvas_over_the_limit_of_pixels_is_refused_with_it() -> None:
    options = Options(output_format=CROP, canvas=(8000, 8000))
    with pytest.raises(ValidationError, match=r"64,000,000 pixels .* limit of 52,000,000"):
        check_canvas(options, 52_000_000)
    check_canvas(Options(output_format=CROP, canvas=(8000, 6500)), 52_000_000)


def test_a_margin_that_fills_the_canvas_is_refused() -> None:
    options = Options(output_format=CROP, canvas=(200, 100), margin=Margin(pixels=50))
    with pytest.raises(ValidationError, match="at most 49px") as caught:
        check_canvas(options, 52_000_000)
    assert [detail.field for detail in caught.value.details] == ["margin"]
    smaller = Options(output_format=CROP, canvas=(200, 100), margin=Margin(pixels=49))
    check_canvas(smaller, 52_000_000)
    assert place(subject((100, 80), BOX), smaller).scale == pytest.approx(2 / 30)


def test_a_picture_is_enlarged_only_where_the_canvas_needs_it() -> None:
    def scale(**given: Any) -> float:
        return place(subject((100, 80), BOX), Options(output_format=CROP, **given)).scale

    assert scale() == 1
    assert scale(canvas=(61, 31)) > 1
    assert scale(canvas=(60, 60)) == 1
    assert scale(canvas=(60, 60), margin=Margin(share=0.1)) < 1


def test_a_margin_of_nothing_crops_white_to_the_box() -> None:
    cropped = answered(subject((100, 80), BOX), output_format=WHITE_BG, margin=Margin())
    assert cropped.shape == (30, 60, 3)


def test_an_answer_may_have_twice_the_limit_of_pixels() -> None:
    def check(margin: Margin, **given: Any) -> None:
        options = Options(output_format=CROP, margin=margin, **given)
        check_answer(place(subject((100, 80), BOX), options), options, max_pixels=8000)

    check(Margin(pixels=41))  # 142 x 112 = 15,904
    with pytest.raises(ValidationError, match=r"16,416 pixels.* limit of 16,000") as caught:
        check(Margin(pixels=42))  # 144 x 114
    assert [detail.field for detail in caught.value.details] == ["margin"]


def test_webp_has_a_limit_of_its_own() -> None:
    options = Options(output_format=CROP, margin=Margin(pixels=2000), encoding=Encoding.WEBP)
    cutout = Cutout(
        np.zeros((1, 13_000, 3), np.uint8), np.ones((1, 13_000), np.float32), Box(0, 0, 13_000, 1)
    )
    with pytest.raises(ValidationError, match="WebP has at most 16,383 a side"):
        check_answer(place(cutout, options), options, max_pixels=10**9)
