"""Options as text: every spelling that is documented, and sentences for the others."""

import pytest

from bgremove.options import (
    Colour,
    Margin,
    Options,
    OutputFormat,
    fields_of,
    parse_background,
    parse_canvas,
    parse_margin,
)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#fff", (255, 255, 255)),
        ("#1a2B3c", (0x1A, 0x2B, 0x3C)),
        ("#a0F", (0xAA, 0x00, 0xFF)),
        ("white", (255, 255, 255)),
        ("RebeccaPurple", (102, 51, 153)),
        ("lightgoldenrodyellow", (250, 250, 210)),
    ],
)
def test_colours(text: str, colour: tuple[int, int, int]) -> None:
    assert parse_background(text) == Colour(*colour)


@pytest.mark.parametrize(
    "text",
    ["", "fff", "#ffff", "#ggg", "#ffffff00", "rgb(1,2,3)", "transparent", "hsl(0,0%,0%)", " red"],
)
def test_anything_else_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        parse_background(text)


@pytest.mark.parametrize(
    ("text", "margin"),
    [
        ("0%", Margin()),
        ("0px", Margin()),
        ("8%", Margin(share=0.08)),
        ("2.5%", Margin(share=0.025)),
        ("50%", Margin(share=0.5)),
        ("2000px", Margin(pixels=2000)),
    ],
)
def test_margins(text: str, margin: Margin) -> None:
    assert parse_margin(text) == margin


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "0% to 50%"),
        ("8", "0% to 50%"),
        ("-1%", "0% to 50%"),
        ("1e1%", "0% to 50%"),
        ("8 %", "0% to 50%"),
        ("\u0664%", "0% to 50%"),
        ("50.1%", "at most 50%"),
        ("2001px", "at most 2000px"),
        ("1.5px", "whole pixels"),
    ],
)
def test_a_margin_at_fault_is_told_its_limits(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_margin(text)


def test_canvases() -> None:
    assert parse_canvas("2000x1500") == (2000, 1500)
    assert parse_canvas("16X8000") == (16, 8000)


@pytest.mark.parametrize("text", ["", "2000", "2000*2000", "2000x", "-1x20", "1.5x20", "20x20\n"])
def test_anything_else_is_no_canvas(text: str) -> None:
    with pytest.raises(ValueError, match="WIDTHxHEIGHT"):
        parse_canvas(text)


@pytest.mark.parametrize("text", ["15x100", "100x8001", "0x0"])
def test_a_canvas_over_a_limit_is_told_both(text: str) -> None:
    with pytest.raises(ValueError, match="16 to 8000 pixels"):
        parse_canvas(text)


@pytest.mark.parametrize("margin", ["0px", "7%", "2.5%", "33.3333%", "50%", "2000px"])
def test_options_are_written_as_they_are_read(margin: str) -> None:
    options = Options(
        output_format=OutputFormat.WHITE_BG,
        background=Colour(1, 20, 255),
        margin=parse_margin(margin),
        canvas=(2000, 1500),
    )
    fields = fields_of(options)
    assert fields == {
        "subject": "universal",
        "output_format": "white_bg",
        "background": "#0114ff",
        "margin": margin,
        "canvas": "2000x1500",
    }
    assert parse_margin(fields["margin"]) == options.margin
    assert set(fields_of(Options())) == {"subject", "output_format"}
