"""Make the pictures of the page from a running server: its examples, and docs/page*.jpg.

    make run PORT=8000
    .venv/bin/python tools/page_pictures.py http://127.0.0.1:8000/

The screenshots show the examples, which are NASA's (public domain) and scikit-image's (CC0).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import requests
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TARGET, PAGES = ROOT / "docs", ROOT / "bgremove" / "pages"
EXAMPLES = {"astronaut": "human", "chelsea": "universal", "coffee": "product"}
QUALITY = 82  # of the JPEGs: below 150 kB each
REVEAL_MS = 900  # covers the 700 ms animation of the answer


def main(address: str) -> None:
    """Write the cut-outs of the examples and both pictures of the page."""
    for name, subject in EXAMPLES.items():
        answer = requests.post(
            f"{address}v1/remove-bg/universal",
            files={"image": (PAGES / f"example-{name}.jpg").read_bytes()},
            data={"subject": subject},
            headers={"Accept": "image/webp"},
            timeout=60,
        )
        answer.raise_for_status()
        (PAGES / f"example-{name}-cutout.webp").write_bytes(answer.content)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        desktop = {"viewport": {"width": 1200, "height": 800}, "color_scheme": "light"}
        _take(browser, address, "page.jpg", ["A cup of coffee", "A cat", "An astronaut"], desktop)
        phone = {
            "viewport": {"width": 360, "height": 720},
            "color_scheme": "dark",
            "device_scale_factor": 1.5,
            "is_mobile": True,
        }
        _take(browser, address, "page-phone.jpg", ["A cup of coffee"], phone)
        browser.close()


def _take(
    browser: Browser, address: str, name: str, examples: list[str], view: dict[str, object]
) -> None:
    page = browser.new_page(**view)  # type: ignore[arg-type]  # a mapping of Playwright's options
    page.goto(address)
    for example in examples:
        button = page.get_by_role("button", name=example, include_hidden=True)
        button.dispatch_event("click")
        page.wait_for_timeout(500)
    page.locator("#working").wait_for(state="hidden")
    page.locator("#result").wait_for()
    page.wait_for_timeout(REVEAL_MS)
    page.screenshot(path=TARGET / name, type="jpeg", quality=QUALITY)
    page.close()


if __name__ == "__main__":
    main(sys.argv[1])
