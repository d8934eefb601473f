"""Pictures on web servers, with bounds on time and bytes."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator

import pytest

from bgremove.batch.stores import WebStore
from bgremove.errors import ImageError
from tests.provisioning.file_server import FileServer
from tests.support.endless_server import ENDLESS, SLOW, sending

DATA = bytes(range(256)) * 100


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        server.files["/a%20picture.jpg"] = DATA
        yield server


@pytest.mark.parametrize("chunked", [False, True])
def test_a_picture_is_read_to_its_end(server: FileServer, chunked: bool) -> None:
    server.chunked = chunked
    assert WebStore().read(server.url("/a picture.jpg"), len(DATA)) == DATA


def test_a_login_in_the_address_is_sent_as_a_header(server: FileServer) -> None:
    address = server.url("/a picture.jpg").replace("//", "//some%40one:p%20w@")
    assert WebStore().read(address, len(DATA)) == DATA
    assert server.logins == ["Basic " + base64.b64encode(b"some@one:p w").decode("ascii")]
    assert server.requests == [("/a%20picture.jpg", "")]


@pytest.mark.parametrize(
    ("chunked", "has"), [(False, "25,600 bytes"), (True, "at least 25,600 bytes")]
)
def test_a_picture_over_the_limit_is_refused(server: FileServer, chunked: bool, has: str) -> None:
    server.chunked = chunked
    with pytest.raises(ImageError, match=f"{has}, more than the limit of 25,599"):
        WebStore().read(server.url("/a picture.jpg"), len(DATA) - 1)


@pytest.mark.parametrize("what", SLOW)
def test_a_server_that_hardly_sends_is_abandoned(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 7)
    with sending(*SLOW[what]) as url:
        monkeypatch.setattr("time.monotonic", lambda: next(clock))
        with pytest.raises(OSError, match=r"it sends less than 10,000 bytes a second"):
            WebStore().read(url, 10_000_000)


@pytest.mark.parametrize("what", ENDLESS)
def test_a_server_that_sends_without_an_end_is_abandoned(what: str) -> None:
    with sending(*ENDLESS[what]) as url, pytest.raises(OSError, match=r"it sends more than 1,"):
        WebStore().read(url, len(DATA))


def test_a_picture_that_breaks_off_is_not_taken(server: FileServer) -> None:
    server.breaks_after = 1000
    with pytest.raises(OSError, match=r"sent 1,000 of 25,600 bytes"):
        WebStore().read(server.url("/a picture.jpg"), len(DATA))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/none.jpg", "404 Not Found"),
        ("http://127.0.0.1:1/x", "Connection refused"),
        ("http://[/x", "Failed to parse"),
    ],
)
def test_the_reason_of_a_failure_is_given(server: FileServer, url: str, reason: str) -> None:
    with pytest.raises(OSError, match=reason):
        WebStore().read(server.url(url) if url.startswith("/") else url, 1000)
