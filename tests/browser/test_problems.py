"""The page explains every problem in words, and repeats requests that can succeed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

from harness.metrics import scraped
from harness.waiting import until
from tests.browser.conftest import Open
from tests.browser.guarded import KEY, LATE_S
from tests.browser.hands import DATA, bring, choose, done, drawn, flat, payload, said
from tests.support.http import PATH, Server, file, form, gunicorn, post

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_what_is_no_picture_is_told_in_the_servers_words(page: Page) -> None:
    choose(page, payload("notes.jpg", b"These are only words."))
    said(page, "The file is not a JPEG, PNG, BMP, WEBP or GIF picture")
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    request_id = page.locator("#problem-request")
    expect(request_id).to_have_text(re.compile(f"^{UUID}$"))
    page.get_by_role("button", name="Copy request id").click()
    assert page.evaluate("navigator.clipboard.readText()") == request_id.text_content()


def test_a_flat_picture_has_no_subject(real_page: Page) -> None:
    page = real_page
    with page.expect_response(f"**{PATH}") as answer:
        choose(page, flat())
    assert answer.value.json()["error"]["code"] == "NO_SUBJECT_DETECTED"
    said(page, "No subject stands out from the background of this picture")


def test_faulty_fields_are_named_one_by_one(page: Page) -> None:
    """Send a value as a page of an older release might."""
    page.evaluate("document.querySelector('[name=subject]').value = 'animal'")
    choose(page, payload("notes.jpg", b"These are only words."))
    rows = page.locator("#problem-details div")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="subject")).to_contain_text("universal, human, product; got")


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "File is required and cannot be empty"),
        (
            10 * 1024 * 1024 + 1,
            "The picture has 10.1 MB, more than the limit of 10 MB",
        ),
    ],
)
def test_what_the_server_would_refuse_is_not_sent(page: Page, count: int, words: str) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    choose(page, payload("large.jpg", bytes(count)))
    said(page, words)
    assert "POST" not in sent


def test_a_name_is_only_ever_a_name(page: Page) -> None:
    """An injected alert would be among the browser errors that `opened` checks."""
    name = '<img src=x onerror=alert(1)>"&amp;.jpg'
    choose(page, payload(name, b"These are only words."))
    expect(page.locator("#viewer-title")).to_have_text(name)
    expect(page.locator(".row-name")).to_have_text(name)


def test_a_link_that_is_dropped_is_not_taken_for_a_picture(page: Page) -> None:
    bring(page, "drop")
    expect(page.locator("#notice")).to_contain_text("drop files or folders of pictures, not links")


def test_no_more_than_a_hundred_are_taken(page: Page) -> None:
    page.route(f"**{PATH}", lambda route: route.abort())
    bring(page, "drop", *[payload(f"{number}.jpg", b"x") for number in range(103)])
    expect(page.locator("#notice")).to_contain_text("3 left out")
    expect(page.locator("#list li")).to_have_count(100)


def test_a_lost_connection_is_said_and_can_be_tried_again(page: Page) -> None:
    page.route(f"**{PATH}", lambda route: route.abort("connectionreset"), times=1)
    choose(page, drawn())
    said(page, "The server could not be reached, or the connection was lost")
    page.get_by_role("button", name="Try again").click()
    done(page)


def test_an_answer_without_an_envelope_is_said(page: Page) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    page.route(f"**{PATH}", answer, times=1)
    choose(page, drawn())
    said(page, "The answer was HTTP 502 without an explanation")
    page.get_by_role("button", name="Try again").click()
    done(page)


def test_a_page_in_place_of_a_picture_is_said(page: Page) -> None:
    def sign_in(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<h1>Sign in</h1>")

    page.route(f"**{PATH}", sign_in, times=1)
    choose(page, drawn())
    said(page, "The answer was not a picture")
    page.get_by_role("button", name="Try again").click()
    done(page)


def test_a_wait_that_the_server_asks_for_is_kept(page: Page) -> None:
    asked: list[float] = []
    body = '{"error": {"code": "RATE_LIMITED", "message": "Too many requests", "details": []}}'
    refuse = {"status": 429, "headers": {"Retry-After": "2"}, "body": body}
    page.route(f"**{PATH}", lambda route: route.fulfill(**refuse), times=1)
    page.on("request", lambda r: asked.append(time.monotonic()) if r.method == "POST" else None)
    choose(page, drawn())
    expect(page.locator("#working-words")).to_contain_text("Too many requests. Trying again in")
    done(page)
    assert len(asked) == 2
    assert asked[1] - asked[0] > 1.9


def test_a_full_server_is_asked_again_until_there_is_a_place(
    opened: Open, tiny: dict[str, str], tmp_path: Path
) -> None:
    """Another client holds the only place until the page waits for a Retry-After."""
    settings = tiny | {"BGREMOVE_PLACES": "1", "BGREMOVE_QUEUE": "0", "HOLD": str(tmp_path)}
    with (
        gunicorn(tmp_path, settings, application="tests.support.hanging:app") as server,
        ThreadPoolExecutor(1) as other,
        opened(server) as page,
    ):
        picture = form(file("image", drawn()["buffer"]))
        held = other.submit(post, server.door, picture, X_Request_Id="hold-encode-freed")
        try:
            until(lambda: scraped(server.door).of("places_in_use") == 1)
            choose(page, drawn("a.jpg"), drawn("b.jpg"))
            expect(page.locator("#working-words")).to_contain_text("Trying again in")
        finally:
            (tmp_path / "freed").touch()
        done(page, 2)
        assert held.result().status == 200
        assert 503 in [line.get("status") for line in server.lines()]


def test_a_server_that_is_gone_is_said(opened: Open, tiny: dict[str, str], tmp_path: Path) -> None:
    with gunicorn(tmp_path, tiny) as server, opened(server) as page:
        server.stop()
        choose(page, drawn())
        said(page, "Is it still running?")


@pytest.fixture(scope="module")
def guarded(tiny: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded")
    with gunicorn(folder, tiny, application="tests.browser.guarded:app") as server:
        yield server


def give(page: Page, key: str, *, keep: bool = False) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_label("Keep it until this tab is closed").set_checked(keep)
    page.get_by_role("button", name="Use this key").click()


STORED = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"


@pytest.mark.parametrize("keep", [False, True])
def test_a_key_is_asked_for_and_kept_only_when_that_is_wanted(
    opened: Open, guarded: Server, keep: bool
) -> None:
    with opened(guarded) as page:
        expect(page.get_by_role("button", name="API key")).to_be_hidden()
        choose(page, drawn("a.jpg"), drawn("b.jpg"), drawn("c.jpg"))
        dialog = page.get_by_role("dialog", name="This server asks for a key")
        expect(dialog).to_contain_text("A key is needed")
        give(page, "k-wrong")
        expect(dialog).to_contain_text("Wrong key")
        give(page, KEY, keep=keep)
        done(page, 3)
        expect(dialog).to_be_hidden()
        expect(page.locator("#curl")).to_contain_text('-H "X-Api-Key: $API_KEY"')
        assert KEY not in (page.locator("body").text_content() or "")
        assert (KEY in page.evaluate(STORED)) is keep
        page.reload()
        choose(page, drawn())
        if keep:
            done(page)
            page.get_by_role("button", name="API key").click()
            page.get_by_role("button", name="Forget it").click()
        else:
            expect(dialog).to_be_visible()
        assert KEY not in page.evaluate(STORED)


def test_who_gives_no_key_is_asked_once(opened: Open, guarded: Server) -> None:
    with opened(guarded) as page:
        choose(page, drawn(), drawn("late.jpg"))
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#list li[data-phase=failed]")).to_have_count(2)
        page.wait_for_timeout(2_000 * LATE_S)
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_without_a_key_all_that_waits_is_told_why(opened: Open, guarded: Server) -> None:
    with opened(guarded) as page:
        choose(page, *[drawn(f"{number}.jpg") for number in range(4)])
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#list li[data-phase=failed]")).to_have_count(4)
        said(page, "A key is needed")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.get_by_role("button", name="Try again").click()
        give(page, "spaced key")
        expect(page.get_by_role("dialog")).to_be_visible()
        give(page, KEY)
        done(page)


def test_doubt_is_said_and_another_subject_is_one_tap_away(real_page: Page) -> None:
    """The picture is a rocket on its pad at night, for which the networks have low confidence."""
    page = real_page
    choose(page, payload("rocket.jpg", (DATA / "rocket.jpg").read_bytes()))
    done(page)
    doubt = page.locator("#doubt")
    expect(doubt).to_contain_text("Probably wrong")
    expect(page.locator("#list .row-state")).to_have_text("Probably wrong")
    doubt.get_by_role("button", name="People").click()
    expect(page.locator("#problem-message")).to_contain_text("No person was found")
    page.locator("#problem").get_by_role("button", name="A product").click()
    done(page)
    expect(page.locator("#curl")).to_contain_text("-F subject=product")
