"""Users can zoom into an answer, and download it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

from bgremove.datatypes import ImageU8
from tests.browser.conftest import PHONE, Open
from tests.browser.hands import (
    FACE,
    HOSTILE,
    bring,
    choose,
    done,
    drawn,
    pixel,
    select,
    settled,
    size,
)
from tests.support.http import Server


@pytest.fixture
def answered(page: Page) -> Page:
    choose(page, drawn())
    done(page)
    settled(page)
    return page


def downloaded(page: Page) -> ImageU8:
    """Return the pixels of the download, RGB or RGBA."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    return np.asarray(Image.open(download.value.path()))


def left_of(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def scale(page: Page) -> int:
    return int((page.locator("#zoom-value").text_content() or "").removesuffix(" %"))


def test_the_divider_follows_keys_and_pointer(answered: Page) -> None:
    split, stage = answered.locator("#split"), answered.locator("#stage").bounding_box()
    assert stage is not None
    middle = left_of(answered, "#handle")
    assert middle == pytest.approx(stage["x"] + stage["width"] / 2, abs=2)
    split.focus()
    for _ in range(20):
        answered.keyboard.press("ArrowRight")
    assert split.get_attribute("aria-valuetext") == "70 % before, 30 % after"
    assert left_of(answered, "#handle") > middle + 50
    clip = "(layer) => getComputedStyle(layer).clipPath"
    shown = answered.locator(".before").evaluate(clip)
    answered.mouse.move(left_of(answered, "#handle"), 300)
    answered.mouse.down()
    answered.mouse.move(middle - 100, 300, steps=4)
    answered.mouse.up()
    assert left_of(answered, "#handle") == pytest.approx(middle - 100, abs=2)
    assert answered.locator(".before").evaluate(clip) != shown


def test_zoom_and_pan_with_keys(answered: Page) -> None:
    stage = answered.locator("#stage")
    fits = scale(answered)
    stage.focus()
    answered.keyboard.press("1")
    assert scale(answered) == 100
    for _ in range(6):
        answered.keyboard.press("+")
    assert scale(answered) == pytest.approx(100 * 1.25**6, abs=1)
    expect(stage).to_have_attribute("data-movable", "true")
    before = left_of(answered, ".after .sheet")
    answered.keyboard.press("ArrowRight")
    assert left_of(answered, ".after .sheet") == pytest.approx(before - 48, abs=1)
    answered.keyboard.press("0")
    assert scale(answered) == fits
    expect(stage).to_have_attribute("data-movable", "false")


def test_zoom_and_pan_with_a_mouse(answered: Page) -> None:
    answered.get_by_role("button", name="100 %").click()
    assert scale(answered) == 100
    box = answered.locator("#stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    answered.mouse.move(x, y)
    answered.keyboard.down("Control")
    answered.mouse.wheel(0, -400)
    answered.keyboard.up("Control")
    assert scale(answered) > 300
    before = left_of(answered, ".after .sheet")
    answered.mouse.down()
    answered.mouse.move(x - 60, y, steps=3)
    answered.mouse.up()
    assert left_of(answered, ".after .sheet") == pytest.approx(before - 60, abs=1)
    answered.get_by_role("button", name="Fit").click()
    assert scale(answered) < 110


def test_the_background_that_is_chosen_is_shown_and_downloaded(answered: Page) -> None:
    ground = "(sheet) => getComputedStyle(sheet).background"
    sheet = answered.locator(".after .sheet")
    assert "conic-gradient" in sheet.evaluate(ground)
    colours = {"White": (255, 255, 255), "Black": (0, 0, 0), "": (255, 0, 128)}
    for name, colour in colours.items():
        if name:
            select(answered, name)
        else:
            answered.get_by_label("Any colour").fill("#ff0080")
        expect(answered.locator("#download")).to_have_attribute(
            "download", f"drawn-{name.lower() or 'colour'}.png"
        )
        assert f"rgb({', '.join(map(str, colour))})" in sheet.evaluate(ground)
        assert tuple(downloaded(answered)[20, 20]) == colour
    select(answered, "Transparent")
    assert "conic-gradient" in sheet.evaluate(ground)


@pytest.mark.parametrize(("chosen", "colour"), [("white", "255, 255, 255"), ("", "255, 0, 128")])
def test_the_ground_that_a_browser_keeps_through_a_reload_is_shown(
    page: Page, chosen: str, colour: str
) -> None:
    """Firefox keeps choices, Chromium does not; so the test puts them into the page."""

    def keep(route: Route) -> None:
        came = route.fetch()
        body = came.text().replace('value="check" checked', 'value="check"')
        radio = f'name="ground" value="{chosen}"'
        body = body.replace(radio, f"{radio} checked")
        route.fulfill(response=came, body=body.replace("#2f6f8f", "#ff0080"))

    page.route(page.url, keep)
    page.reload()
    choose(page, drawn())
    done(page)
    read = "(sheet) => getComputedStyle(sheet).backgroundColor"
    assert page.locator(".after .sheet").evaluate(read) == f"rgb({colour})"


def test_the_download_is_the_picture_under_a_sensible_name(answered: Page) -> None:
    with answered.expect_download() as download:
        answered.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "drawn-cutout.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


NAMES = {
    "photo.final.jpeg": "photo.final-cutout.png",
    "../../etc/passwd": "_.._etc_passwd-cutout.png",
    "a\u202egpj.exe": "a_gpj-cutout.png",
    ".jpg": "jpg-cutout.png",
    "v1.2 final": "v1.2 final-cutout.png",
    "日本 写真.webp": "日本 写真-cutout.png",
}


def test_names_of_downloads(page: Page) -> None:
    ask = """async (name) => {
      const folder = document.querySelector("script[src]").src.replace("main.js", "");
      const { downloadName } = await import(`${folder}names.js`);
      const { master } = await import(`${folder}output.js`);
      return downloadName(name, master("universal"));
    }"""
    assert {name: page.evaluate(ask, name) for name in NAMES} == NAMES


def test_a_copied_picture_can_be_pasted_again(answered: Page) -> None:
    answered.get_by_role("button", name="Copy picture").click()
    expect(answered.get_by_role("button", name="Copied")).to_be_visible()
    answered.keyboard.press("Control+v")
    done(answered, 2)
    assert size(answered) == [512, 512]


def test_a_jpeg_is_copied_as_the_png_that_clipboards_take(page: Page) -> None:
    select(page, "White")
    select(page, "JPEG")
    choose(page, drawn())
    done(page)
    page.get_by_role("button", name="Copy picture").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    kinds = page.evaluate("navigator.clipboard.read().then((items) => items[0].types)")
    assert kinds == ["image/png"]


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("plain.jpg", ()),
        (HOSTILE, ("A product", "Cut to size")),
        ("-o.jpg", ("White", "JPEG")),
        ("two words.jpg", ("White",)),
        ("a\x1b]0;title\x07\r %s \\ 'b'.jpg", ("Mask",)),
        (" blanks around ", ("Mask",)),
    ],
)
def test_the_copied_curl_line_does_the_same(
    page: Page, tmp_path: Path, name: str, choices: tuple[str, ...]
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    for choice in choices:
        select(page, choice)
    file = drawn(name)
    bring(page, "drop", file)
    done(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    page.get_by_role("button", name="Copy as curl").click()
    line = page.evaluate("navigator.clipboard.readText()")
    assert line.replace("\n", " ").isprintable()  # nothing that a terminal would interpret
    (tmp_path / name).write_bytes(file["buffer"])
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True, capture_output=True)
    (made,) = [path for path in tmp_path.iterdir() if path.name != name]
    ours, theirs = (np.asarray(Image.open(path)) for path in (made, download.value.path()))
    seen = ours[..., 3:] > 0 if ours.shape[-1] == 4 else np.True_
    np.testing.assert_array_equal(ours * seen, theirs * seen)


def test_the_facts_are_those_of_the_answer(page: Page) -> None:
    with page.expect_response("**/v1/**") as answer:
        choose(page, drawn())
    done(page)
    headers = answer.value.headers
    facts = page.locator("#facts")
    expect(facts).to_contain_text(headers["x-model"])
    expect(facts).to_contain_text(f"{round(float(headers['x-confidence']) * 100)} %")
    expect(page.locator("#size-words")).to_contain_text("512 × 512 px, PNG")
    expect(facts).to_contain_text(headers["x-request-id"])


def test_on_a_phone_a_finger_moves_the_divider(opened: Open, server: Server) -> None:
    """With motion, as most phones have it: the divider moves to the middle by itself first."""
    with opened(server, **PHONE | {"reduced_motion": "no-preference"}) as page:
        choose(page, drawn())
        done(page)
        settled(page)
        expect(page.locator("#stage")).to_be_in_viewport(ratio=0.9)
        box = page.locator("#stage").bounding_box()
        assert box is not None
        page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
        assert left_of(page, "#handle") == pytest.approx(box["x"] + box["width"] / 4, abs=3)
        assert pixel(page, FACE)[3] > 250
