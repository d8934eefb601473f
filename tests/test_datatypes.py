"""Options: what goes together, and what the answer is called."""

from typing import Any

import pytest

from bgremove.datatypes import Box
from bgremove.errors import ValidationError
from bgremove.options import WHITE, Colour, Encoding, Margin, Options, OutputFormat


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"background": Colour(1, 2, 3)}, ["background"]),
        ({"background": Colour(1, 2, 3), "output_format": OutputFormat.CROP}, ["background"]),
        ({"background": WHITE}, ["background"]),
        ({"margin": Margin()}, ["margin"]),
        ({"canvas": (100, 100), "output_format": OutputFormat.MASK}, ["canvas"]),
        ({"encoding": Encoding.JPEG}, ["encoding"]),
        ({"encoding": Encoding.WEBP, "output_format": OutputFormat.MASK}, ["encoding"]),
        (
            {"background": Colour(1, 2, 3), "margin": Margin(pixels=1), "canvas": (16, 16)},
            ["background", "margin", "canvas"],
        ),
    ],
)
def test_options_that_do_not_go_together_are_all_named(
    given: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        Options(**given)
    assert [detail.field for detail in caught.value.details] == fields


@pytest.mark.parametrize(
    ("options", "content_type", "suffix"),
    [
        (Options(), "image/png", ".png"),
        (Options(output_format=OutputFormat.WHITE_BG), "image/jpeg", ".jpg"),
        (Options(encoding=Encoding.WEBP), "image/webp", ".webp"),
    ],
)
def test_the_format_has_a_file_type_of_its_own(
    options: Options, content_type: str, suffix: str
) -> None:
    assert (options.content_type, options.suffix) == (content_type, suffix)


def test_a_margin_is_a_share_of_the_longer_side_or_pixels() -> None:
    box = Box(top=1, left=2, width=100, height=300)
    assert Margin(share=0.1).around(box) == pytest.approx(30)
    assert Margin(pixels=7).around(box) == 7
