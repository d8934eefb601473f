"""Results of the page: composed as by the service, many at once, edited by hand, shrunk."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from bgremove.datatypes import ImageU8
from tests.browser.hands import CORNER, FACE, choose, done, drawn, payload, pixel, select
from tests.support.http import PATH, Server

COLOUR = "#ff0080"


def downloaded(page: Page) -> ImageU8:
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    return np.asarray(Image.open(download.value.path()))


@pytest.mark.parametrize(
    ("choices", "margin", "ending", "fields"),
    [
        (("White",), "0", "white", {"output_format": "white_bg"}),
        (("",), "0", "colour", {"output_format": "white_bg", "background": COLOUR}),
        (("Mask",), "0", "mask", {"output_format": "mask"}),
        (("Cut to size",), "0", "cutout", {"output_format": "crop"}),
        (
            ("Cut to size", "White"),
            "0",
            "white",
            {"output_format": "white_bg", "margin": "0%"},
        ),
        (("Cut to size",), "15", "cutout", {"output_format": "crop", "margin": "15%"}),
        (
            ("Cut to size", "Black"),
            "8",
            "black",
            {"output_format": "white_bg", "background": "#000000", "margin": "8%"},
        ),
    ],
)
def test_what_the_page_composes_has_the_pixels_of_the_service(
    page: Page,
    server: Server,
    choices: tuple[str, ...],
    margin: str,
    ending: str,
    fields: dict[str, str],
) -> None:
    file = drawn()
    answer = requests.post(
        f"http://127.0.0.1:{server.port}{PATH}",
        files={"image": ("a.jpg", file["buffer"])},
        data=fields,
        headers={"Accept": "image/png"},
        timeout=60,
    )
    theirs = np.asarray(Image.open(io.BytesIO(answer.content)))
    choose(page, file)
    done(page)
    for choice in choices:
        if choice:
            select(page, choice)
        else:
            page.get_by_label("Any colour").fill(COLOUR)
    if "Cut to size" in choices:
        page.locator("select[name=margin]").select_option(margin)
    # The page may compose after each choice: name and size are those of the last.
    height, width = theirs.shape[:2]
    expect(page.locator("#size-words")).to_contain_text(f"{width} × {height} px")
    expect(page.locator("#download")).to_have_attribute("download", f"drawn-{ending}.png")
    ours = downloaded(page)
    assert ours.shape == theirs.shape
    seen = theirs[..., 3:] > 0 if theirs.shape[-1] == 4 else np.True_
    np.testing.assert_array_equal(ours * seen, theirs * seen)


def test_a_canvas_is_filled_by_the_service(page: Page) -> None:
    choose(page, drawn())
    done(page)
    for choice in ("Cut to size", "White", "JPEG"):
        select(page, choice)
    page.locator("select[name=margin]").select_option("8")
    page.locator("select[name=canvas]").select_option("1000x1000")
    expect(page.locator("#size-words")).to_contain_text("1000 × 1000 px, JPEG")
    expect(page.locator("#warnings")).to_contain_text("enlarged")
    expect(page.locator("#curl")).to_contain_text("-F canvas=1000x1000")


def test_all_results_come_in_one_archive(page: Page) -> None:
    choose(page, drawn("a.jpg"), drawn("a.png"), payload("notes.jpg", b"words"))
    done(page, 2)
    expect(page.locator("#pictures-title")).to_have_text("2 done, 1 failed")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    assert download.value.suggested_filename == "cutouts.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a-cutout.png", "a-cutout-2.png"]
        for name in archive.namelist():
            assert Image.open(archive.open(name)).size == (512, 512)


def test_a_folder_gives_its_pictures(page: Page, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.jpg").write_bytes(drawn()["buffer"])
    (tmp_path / "two.jpg").write_bytes(drawn()["buffer"])
    (tmp_path / "notes.txt").write_text("words")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="A folder").click()
    chooser.value.set_files(tmp_path)
    done(page, 2)
    assert sorted(page.locator("#list .row-name").all_inner_texts()) == ["one.jpg", "two.jpg"]


def test_the_brush_erases_keeps_and_takes_back(page: Page) -> None:
    choose(page, drawn())
    done(page)
    page.get_by_role("button", name="Mend by hand").click()
    dab(page, FACE)
    page.get_by_role("radio", name="Keep").check(force=True)
    dab(page, CORNER)
    dab(page, (480, 480))
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Done", exact=True).click()
    expect(page.locator("#brush-tools")).to_be_hidden()
    done(page)
    edited = downloaded(page)
    assert edited[FACE[1], FACE[0], 3] == 0
    assert edited[CORNER[1], CORNER[0], 3] == 255
    before = pixel(page, CORNER, "before")
    assert np.abs(edited[CORNER[1], CORNER[0]] - np.array(before)).max() <= 2
    select(page, "White")
    expect(page.locator("#download")).to_have_attribute("download", "drawn-white.png")
    assert tuple(downloaded(page)[FACE[1], FACE[0]]) == (255, 255, 255)
    select(page, "JPEG")
    expect(page.locator("#download")).to_have_attribute("download", "drawn-white.jpg")
    assert downloaded(page)[FACE[1], FACE[0]].min() >= 250
    for choice in ("PNG", "Cut to size"):
        select(page, choice)
    page.locator("select[name=canvas]").select_option("1000x1000")
    expect(page.locator("#size-words")).to_contain_text("1000 × 1000 px, PNG")
    expect(page.locator("#warnings")).to_contain_text("enlarged")
    assert downloaded(page).shape == (1000, 1000, 3)  # without an alpha channel, as the service's


def test_a_picture_over_the_limit_is_shrunk_in_the_browser(page: Page) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (2400, 2400, 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(noise).save(packed, "BMP")
    choose(page, payload("large.bmp", packed.getvalue()))
    expect(page.locator("#problem-message")).to_contain_text("more than the limit")
    page.get_by_role("button", name="Shrink it here").click()
    expect(page.locator("#note")).to_contain_text("2,400 × 2,400")
    expect(page.locator("#viewer-title")).to_have_text("large.jpg")


def test_leaving_a_page_with_results_asks_first(page: Page) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.reload()
    assert asked == []
    choose(page, drawn())
    done(page)
    page.reload()
    assert asked == ["beforeunload"]


def dab(page: Page, at: tuple[int, int]) -> None:
    """Touch the picture with the brush at a point in the picture's pixels."""
    box = page.locator("#retouch").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * at[0] / 512, box["y"] + box["height"] * at[1] / 512
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 1, y)
    page.mouse.up()
