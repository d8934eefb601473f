"""The page works with a keyboard, with a screen reader, and on a phone."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DESKTOP, PHONE, Open
from tests.browser.hands import choose, done, drawn, payload, settled
from tests.support.http import PATH, Server

VIEWS: dict[str, dict[str, Any]] = {
    "light": DESKTOP | {"color_scheme": "light"},
    "dark": DESKTOP | {"color_scheme": "dark"},
    "phone": PHONE | {"color_scheme": "light"},
}
FOCUSED = """() => {
  const at = document.activeElement;
  const mark = at.matches("input") ? at.nextElementSibling ?? at : at;
  const outlines = [at, mark].map((element) => getComputedStyle(element).outlineStyle);
  outlines.push(at.id === "split" ? getComputedStyle(mark, "::after").outlineStyle : "none");
  return [at.id || at.value || at.textContent.trim(), outlines.some((style) => style !== "none")];
}"""


def tab_to(page: Page, target: str) -> None:
    """Press Tab until an element has the focus; every focus on the way must be visible."""
    for _ in range(30):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(FOCUSED)
        assert seen, f"nobody sees the focus on {name}"
        if name == target:
            return
    pytest.fail(f"Tab does not come to {target}")


def test_everything_can_be_done_with_the_keyboard(page: Page) -> None:
    # Listen from the start: on a busy machine, a listener added at the key press may be too late.
    page.on("filechooser", lambda _: None)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == ["Skip to the content", True]
    page.keyboard.press("Enter")
    tab_to(page, "choose")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([drawn()])
    done(page)
    tab_to(page, "universal")
    tab_to(page, "whole")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#download")).to_have_attribute("download", "drawn-mask.png")
    tab_to(page, "stage")
    page.keyboard.press("+")
    tab_to(page, "split")
    page.keyboard.press("End")
    assert page.locator("#split").get_attribute("aria-valuetext") == "100 % before, 0 % after"
    tab_to(page, "zoom-fit")
    page.keyboard.press("Space")
    tab_to(page, "download")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "drawn-mask.png"
    tab_to(page, "copy-curl")


def test_cancelling_does_not_lose_the_focus(page: Page) -> None:
    page.route(f"**{PATH}", lambda route: None)
    choose(page, drawn())
    tab_to(page, "cancel")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    page.unroute_all(behavior="ignoreErrors")


def test_removing_a_picture_does_not_lose_the_focus(page: Page) -> None:
    choose(page, *[payload(f"{number}.jpg", b"words") for number in range(2)])
    for number in range(2):
        page.get_by_role("button", name=f"Remove {number}.jpg").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#list li")).to_have_count(1 - number)
        tag = page.evaluate("document.activeElement.tagName")
        assert tag == "BUTTON"


def test_what_happens_is_told_to_who_does_not_see_it(page: Page) -> None:
    held: list[Route] = []
    page.route(f"**{PATH}", lambda route: held.append(route), times=1)
    live = page.get_by_role("status").last
    choose(page, drawn())
    expect(live).to_contain_text("Sending drawn.jpg")
    for _ in range(3000):
        if held:
            break
        page.wait_for_timeout(20)  # the route is added while Playwright waits
    held[0].continue_()
    done(page)
    expect(live).to_contain_text("drawn.jpg: done")


def states(page: Page) -> Any:
    """Yield the page in each of its states."""
    yield "empty"
    page.route(f"**{PATH}", lambda route: None)
    choose(page, drawn())
    expect(page.locator("#working")).to_be_visible()
    yield "working"
    page.get_by_role("button", name="Cancel", exact=True).click()
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")  # would let the first request through before
    again.click()
    done(page)
    settled(page)
    yield "result"
    page.get_by_role("button", name="Mend by hand").click()
    expect(page.locator("#brush-tools")).to_be_visible()
    yield "brush"
    page.get_by_role("button", name="Done", exact=True).click()
    choose(page, payload("notes.jpg", b"These are only words."))
    expect(page.locator("#problem")).to_be_visible()
    yield "error"
    page.evaluate("document.getElementById('key-open').hidden = false")
    page.get_by_role("button", name="API key").click()
    yield "key"


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    opened: Open, server: Server, view: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with opened(server, **VIEWS[view]) as page:
        for state in states(page):
            found = axe.run(page).response["violations"]
            assert [(state, fault["id"], fault["nodes"]) for fault in found] == []
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, state


def test_who_wants_no_motion_gets_none(opened: Open, server: Server) -> None:
    with opened(server, reduced_motion="reduce") as page:
        choose(page, drawn())
        done(page)
        for selector in (".before", "#handle", "#progress", "#download"):
            style = page.locator(selector).evaluate(
                "(e) => [getComputedStyle(e).transitionDuration, getComputedStyle(e).animationName]"
            )
            assert style == ["0s", "none"], selector


def test_a_picture_of_a_long_list_comes_into_view_on_a_phone(opened: Open, server: Server) -> None:
    with opened(server, **PHONE) as page:
        choose(page, *(drawn(f"{number}.jpg", side=96) for number in range(8)))
        expect(page.locator("#list li[data-phase=done]")).to_have_count(8)
        row = page.locator("#list li", has_text="1.jpg")
        row.scroll_into_view_if_needed()
        row.get_by_role("button", name="1.jpg").first.click()
        expect(page.locator("#viewer-title")).to_have_text("1.jpg")
        expect(page.locator("#stage")).to_be_in_viewport()
