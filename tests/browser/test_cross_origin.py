"""A page of another origin sends requests with a key, in a real Chromium."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.http import Server, gunicorn
from tests.support.tiny import ball, encoded, tiny_weights

ASK = """
async ([address, picture]) => {
  const bytes = Uint8Array.from(atob(picture), (character) => character.charCodeAt(0));
  const form = new FormData();
  form.append("image", new Blob([bytes]), "a.png");
  try {
    const answer = await fetch(address + "/v1/remove-bg/universal",
      { method: "POST", headers: { "X-Api-Key": "k" }, body: form });
    const headers = Object.fromEntries(answer.headers);
    return { status: answer.status, headers, size: (await answer.blob()).size };
  } catch (error) {
    return { status: 0, fault: String(error) };
  }
}
"""


class EmptyPage(BaseHTTPRequestHandler):
    """Answer every GET with an empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>shop</title>")

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def site() -> Iterator[str]:
    """Serve an empty page on loopback, and yield its origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    with site() as origin:
        yield origin


@pytest.fixture(scope="module")
def shared(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "BGREMOVE_WEIGHTS_DIR": str(tiny_weights(tmp_path_factory.mktemp("weights"))),
        "BGREMOVE_CORS_ORIGINS": shop,
    }
    with gunicorn(tmp_path_factory.mktemp("gunicorn"), settings) as server:
        yield server


def ask(chromium: Any, origin: str, server: Server, picture: bytes) -> dict[str, Any]:
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(origin)
        address = f"http://127.0.0.1:{server.port}"
        answer: dict[str, Any] = page.evaluate(
            ASK, [address, base64.b64encode(picture).decode("ascii")]
        )
        return answer
    finally:
        context.close()


def test_a_page_of_the_shop_gets_the_picture_and_its_headers(
    chromium: Any, shop: str, shared: Server
) -> None:
    answer = ask(chromium, shop, shared, encoded(ball()))
    assert answer["status"] == 200
    assert answer["size"] > 100
    assert answer["headers"]["x-model"] == "tiny"
    assert answer["headers"]["x-foreground-width"] == "33"
    assert answer["headers"]["x-request-id"]


def test_it_can_read_an_error(chromium: Any, shop: str, shared: Server) -> None:
    answer = ask(chromium, shop, shared, b"no picture")
    assert answer["status"] == 400
    assert answer["headers"]["content-type"] == "application/json"


def test_a_page_of_another_origin_can_not(chromium: Any, shared: Server) -> None:
    with site() as other:
        answer = ask(chromium, other, shared, encoded(ball()))
    assert answer["status"] == 0
    assert "Failed to fetch" in answer["fault"]
