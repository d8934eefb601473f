"""Pictures from every source are sent, and their cut-outs are shown."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.hands import (
    CORNER,
    FACE,
    astronaut,
    bring,
    choose,
    done,
    drawn,
    noise,
    pixel,
    select,
    size,
)


def test_a_photograph_gets_its_cut_out(real_page: Page) -> None:
    choose(real_page, astronaut())
    expect_cut_out(real_page)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_taken_from_everywhere(page: Page, event: str) -> None:
    bring(page, event, drawn())
    expect_cut_out(page)


def expect_cut_out(page: Page) -> None:
    done(page)
    assert size(page) == [512, 512]
    assert pixel(page, CORNER)[3] == 0
    assert pixel(page, FACE)[3] > 250
    assert pixel(page, FACE, "before")[3] == 255


def test_an_example_needs_no_file(real_page: Page) -> None:
    page = real_page
    page.get_by_role("button", name="A cat").click()
    done(page)
    expect(page.locator("#viewer-title")).to_have_text("chelsea.jpg")
    assert size(page) == [451, 300]


def test_each_output_is_what_it_says(page: Page) -> None:
    choose(page, drawn())
    done(page)
    select(page, "White")
    expect(page.locator("#download")).to_have_attribute("download", "drawn-white.png")
    assert pixel(page, CORNER) == [255, 255, 255, 255]
    select(page, "JPEG")
    expect(page.locator("#download")).to_have_attribute("download", "drawn-white.jpg")
    expect(page.locator("#size-words")).to_contain_text("JPEG")
    assert pixel(page, CORNER) == [255, 255, 255, 255]
    select(page, "Mask")
    expect(page.locator("#download")).to_have_attribute("download", "drawn-mask.png")
    assert pixel(page, CORNER) == [0, 0, 0, 255]
    assert pixel(page, FACE) == [255, 255, 255, 255]
    expect(page.locator("#grounds")).to_be_hidden()


def test_of_a_crop_the_part_before_it_lies_under_it(page: Page) -> None:
    select(page, "Cut to size")
    choose(page, drawn())
    done(page)
    width, height = size(page)
    assert (width, height) != (512, 512)
    sheet = page.locator(".before .sheet").bounding_box()
    whole = page.locator("#before").bounding_box()
    assert sheet is not None
    assert whole is not None
    scale = sheet["width"] / width
    assert whole["width"] == pytest.approx(512 * scale, rel=0.01)
    left = round((sheet["x"] - whole["x"]) / scale)
    top = round((sheet["y"] - whole["y"]) / scale)
    before = pixel(page, (left + width // 2, top + height // 2), "before")
    after = pixel(page, (width // 2, height // 2))
    assert after[3] == 255
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 8


def test_the_subject_that_is_chosen_is_sent(page: Page) -> None:
    select(page, "A product")
    choose(page, drawn())
    done(page)
    expect(page.locator("#curl")).to_contain_text("-F subject=product")
    expect(page.locator("#facts")).to_contain_text("tiny-product")


def test_another_output_of_a_picture_sends_nothing(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    choose(page, drawn())
    done(page)
    for choice, name in (("Mask", "mask"), ("All of it", "cutout"), ("Black", "black")):
        select(page, choice)
        expect(page.locator("#download")).to_have_attribute("download", f"drawn-{name}.png")
    assert sent.count("POST") == 1


def test_several_pictures_are_sent_two_at_a_time(page: Page) -> None:
    most = page.evaluate_handle("() => ({ now: 0, most: 0 })")
    page.evaluate(
        """(count) => {
          const send = XMLHttpRequest.prototype.send;
          XMLHttpRequest.prototype.send = function (body) {
            count.most = Math.max(count.most, (count.now += 1));
            this.addEventListener("loadend", () => (count.now -= 1));
            send.call(this, body);
          };
        }""",
        most,
    )
    choose(page, *[drawn(f"{number}.jpg") for number in range(5)])
    done(page, 5)
    assert most.evaluate("(count) => count.most") == 2
    expect(page.locator("#pictures-title")).to_have_text("5 done")
    page.get_by_role("button", name="3.jpg Done").click()
    expect(page.locator("#viewer-title")).to_have_text("3.jpg")
    page.get_by_role("button", name="Remove 3.jpg").click()
    expect(page.locator("#viewer-title")).to_have_text("4.jpg")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()


def test_a_row_that_is_clicked_away_twice_takes_no_other_along(page: Page) -> None:
    """Both clicks come before the next frame, which removes the row."""
    page.route("**/v1/**", lambda route: route.abort())
    choose(page, *[drawn(f"{number}.jpg") for number in range(3)])
    cross = page.get_by_role("button", name="Remove 0.jpg")
    cross.evaluate("(cross) => { cross.click(); cross.click(); }")
    expect(cross).to_be_hidden()
    expect(page.locator("#list .row-name")).to_have_text(["1.jpg", "2.jpg"])


def test_a_picture_lying_on_its_side_is_shown_upright(page: Page) -> None:
    """Orientation 6: the viewer must rotate the stored picture a quarter clockwise."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    file = drawn(exif=exif)
    choose(page, file)
    done(page)
    turned = (511 - FACE[1], FACE[0])
    before, after = pixel(page, turned, "before"), pixel(page, turned)
    assert after[3] > 250
    assert max(abs(a - b) for a, b in zip(before[:3], after[:3], strict=True)) <= 8


def test_of_an_animation_the_first_frame_is_shown_and_said(page: Page) -> None:
    choose(page, animation())
    done(page)
    expect(page.locator("#warnings")).to_contain_text("first frame was used")
    page.wait_for_timeout(400)  # long enough for the second frame to appear twice
    assert pixel(page, (5, 5), "before")[:3] == [0, 0, 0]


def animation() -> FilePayload:
    import io

    from PIL import Image, ImageDraw

    frames = []
    for colour in ("black", "red"):
        frame = Image.new("RGB", (300, 300), colour)
        ImageDraw.Draw(frame).ellipse((80, 80, 220, 220), fill="white")
        frames.append(frame)
    packed = io.BytesIO()
    frames[0].save(packed, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return {"name": "two.gif", "mimeType": "image/gif", "buffer": packed.getvalue()}


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(page: Page) -> None:
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    choose(page, noise())
    words = page.locator("#working-words")
    expect(words).to_contain_text("Uploading,")
    expect(words).not_to_contain_text("Uploading, 0 %")
    assert 0 < page.locator("#progress").evaluate("(bar) => bar.value") < 100
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#problem-message")).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
