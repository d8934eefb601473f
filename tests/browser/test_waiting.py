"""The page waits for slow transfers, aborts stalled ones, and counts down a wait."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from harness.processes import children, frozen
from tests.browser.conftest import Open
from tests.browser.hands import choose, done, drawn, said
from tests.support.http import PATH, Server, gunicorn

TIMEOUT_S, MARGIN_S, STALL_S = 20, 30, 30
BYTES_A_SECOND = 200_000  # an answer of about 2 MB arrives in parts of up to 64 kB
COUNT_PROGRESS = """() => {
  window.came = 0;
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    this.addEventListener("progress", () => (window.came += 1));
    send.call(this, body);
  };
}"""


@pytest.fixture(scope="module")
def impatient(tiny: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = tiny | {"BGREMOVE_TIMEOUT_S": str(TIMEOUT_S)}
    with gunicorn(tmp_path_factory.mktemp("impatient"), settings) as server:
        yield server


def test_an_upload_that_stalls_is_not_waited_for_without_end(page: Page) -> None:
    page.clock.install()
    page.route(f"**{PATH}", lambda route: None)
    choose(page, drawn())
    expect(page.locator("#working")).to_be_visible()
    page.clock.run_for(31_000)
    said(page, "The upload stalled: the server took nothing more within 30 seconds")
    page.unroute_all(behavior="ignoreErrors")


def test_a_server_that_never_answers_is_not_waited_for_without_end(
    opened: Open, impatient: Server
) -> None:
    with opened(impatient) as page:
        page.clock.install()
        with frozen(children(impatient.process.pid)):
            choose(page, drawn())
            picture = page.locator("#list li")
            expect(picture).to_have_attribute("data-phase", "working")
            page.clock.run_for(45_000)
            expect(picture).to_have_attribute("data-phase", "working")
            page.clock.run_for(6_000)
            said(page, "The server did not answer within 50 seconds")


def download_slowly(page: Page) -> None:
    """Send a picture whose answer is slow, and wait for its first part."""
    page.clock.install()
    page.evaluate(COUNT_PROGRESS)
    line = {"latency": 0, "downloadThroughput": BYTES_A_SECOND, "uploadThroughput": -1}
    session = page.context.new_cdp_session(page)
    session.send("Network.emulateNetworkConditions", {"offline": False} | line)
    choose(page, drawn(side=1600))
    page.wait_for_function("() => window.came > 0")


def test_an_answer_that_keeps_coming_may_take_its_time(opened: Open, impatient: Server) -> None:
    with opened(impatient) as page:
        download_slowly(page)
        for _ in range(4):
            page.clock.run_for((STALL_S - 10) * 1000)
            came = page.evaluate("window.came")
            page.wait_for_function("(came) => window.came > came", arg=came)
        assert 4 * (STALL_S - 10) > TIMEOUT_S + MARGIN_S
        expect(page.locator("#list li")).to_have_attribute("data-phase", "working")
        done(page)


def test_an_answer_that_stalls_is_not_waited_for_without_end(
    opened: Open, impatient: Server
) -> None:
    with opened(impatient) as page:
        download_slowly(page)
        page.clock.run_for((STALL_S + 1) * 1000)
        said(page, "The answer stalled: nothing more came within 30 seconds")


def test_the_list_counts_down_to_the_next_try(page: Page) -> None:
    body = '{"error": {"code": "RATE_LIMITED", "message": "Too many requests", "details": []}}'
    refusal = {"status": 429, "headers": {"Retry-After": "100"}, "body": body}
    page.route(f"**{PATH}", lambda route: route.fulfill(**refusal), times=1)
    page.clock.install()
    choose(page, drawn())
    state = page.locator("#list .row-state")
    expect(state).to_have_text(re.compile(r"^Busy; again in (100|9\d) s$"))
    page.clock.run_for(60_000)
    expect(state).to_have_text(re.compile(r"^Busy; again in [1-4]\d s$"))
