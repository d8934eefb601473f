"""One client cannot have more than its share, and slow ones cost the others nothing."""

from __future__ import annotations

import re
import select
import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import pytest

from bgremove.api.pages import FOLDER, TYPES
from harness.http import WireDoor
from harness.nginx import UNLIMITED, Changes, Edge, nginx
from tests.support.http import FORM_TYPE, PATH, START_S, Answer, Server, error_of, file, form, post
from tests.support.tiny import ball, encoded

RATE, BURST, CONNECTIONS = 10, 20, 20  # as shipped: deploy/nginx/limits.conf, service.conf
GOOD = form(file("image", encoded(ball())))
ENDLESS = (
    f"POST {{}} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: 1000\r\n\r\n"
)
PAGES = ["/", "/pages/x/main.js"]


@pytest.fixture
def limited(real_server: Server, tmp_path: Path) -> Iterator[Edge]:
    """Return nginx with the limits as shipped, and no client counted yet."""
    with nginx(tmp_path, [real_server.port]) as edge:
        yield edge


def ask(
    edge: Edge, count: int, address: str, *, key_header: str = "", key: str = ""
) -> list[Answer]:
    """Ask for what costs nothing, as fast as can be; an empty key is a new one every time."""
    door = WireDoor(edge.port, address)
    answers = []
    for _ in range(count):
        value = key or str(uuid.uuid4())
        value = f"Bearer {value}" if key_header == "Authorization" else value
        answers.append(
            door.send("GET", "/nothing", headers={key_header: value} if key_header else {})
        )
    return answers


def passed(answers: list[Answer]) -> int:
    """Count those that were let through, and check the others."""
    for answer in answers:
        if answer.status == 429:
            error_of(answer, 429, "RATE_LIMITED")
            assert answer.headers["retry-after"] == "1"
        else:
            error_of(answer, 404, "NOT_FOUND")
    return sum(answer.status != 429 for answer in answers)


@pytest.mark.parametrize("key_header", ["", "X-RapidAPI-Key", "X-Api-Key", "Authorization"])
def test_an_address_has_its_limit_whatever_keys_it_invents(limited: Edge, key_header: str) -> None:
    started = time.monotonic()
    answers = ask(limited, 80, "127.0.0.2", key_header=key_header)
    allowed = 1 + BURST + RATE * (time.monotonic() - started)
    assert BURST <= passed(answers) <= allowed + 1
    assert passed(ask(limited, 5, "127.0.0.3", key_header=key_header)) == 5


@pytest.mark.parametrize("key_header", ["X-RapidAPI-Key", "X-Api-Key", "Authorization"])
def test_a_key_has_its_limit_whatever_addresses_it_comes_from(
    limited: Edge, key_header: str
) -> None:
    started = time.monotonic()
    answers = [
        answer
        for last in range(2, 82)
        for answer in ask(limited, 1, f"127.0.0.{last}", key_header=key_header, key="the-one-key")
    ]
    allowed = 1 + BURST + RATE * (time.monotonic() - started)
    assert BURST <= passed(answers) <= allowed + 1
    assert passed(ask(limited, 5, "127.0.0.99", key_header=key_header, key="another")) == 5


DISGUISES = {
    "tabs before it": ["X-Api-Key: {tabs}{key}"],
    "tabs after it": ["X-Api-Key: {key}{tabs}"],
    "tabs after Bearer": ["Authorization: Bearer {tabs}{key}"],
    "tabs before Bearer": ["Authorization: {tabs}Bearer {key}"],
    "several headers": [
        "X-Api-Key: {key}",
        "X-Api-Key: {key}\r\nX-RapidAPI-Key: {key}",
        "X-RapidAPI-Key: \t\r\nAuthorization: bearer {key}",
        "X-Api-Key: {key}\r\nX-RapidAPI-Key: {key}\r\nAuthorization: Bearer {key}",
    ],
}


@pytest.mark.parametrize("name", DISGUISES)
def test_a_key_has_one_limit_however_it_is_written(limited: Edge, name: str) -> None:
    """Each of these is the same key to bgremove: tests/deploy/test_keys.py."""
    forms = DISGUISES[name]
    answers = []
    started = time.monotonic()
    for count in range(80):
        lines = forms[count % len(forms)].format(tabs="\t" * count, key="the-one-key")
        request = f"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n\r\n"
        answers += WireDoor(limited.port, f"127.0.0.{count + 2}").exchange(request.encode())
    allowed = 1 + BURST + RATE * (time.monotonic() - started)
    assert BURST <= passed(answers) <= allowed + 1


def test_who_waits_as_told_is_served_again(limited: Edge) -> None:
    passed(ask(limited, 40, "127.0.0.2"))
    time.sleep(1.0)
    assert passed(ask(limited, 5, "127.0.0.2")) == 5


def test_a_visit_of_the_page_gets_all_of_its_files(limited: Edge) -> None:
    door = WireDoor(limited.port, "127.0.0.9")
    page = door.send("GET", "/")
    assert page.status == 200
    script = re.findall(r"pages/\w+/", page.body.decode())[0]
    files = [f"/{script}{path.name}" for path in FOLDER.iterdir() if path.suffix in TYPES]
    assert len(files) > BURST
    assert {door.send("GET", name).status for name in files} == {200}
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_a_health_check_is_not_stopped_by_its_addresss_other_requests(limited: Edge) -> None:
    assert passed(ask(limited, 60, "127.0.0.2")) < 60
    for _ in range(10):
        assert WireDoor(limited.port, "127.0.0.2").send("GET", "/livez").status == 200


def test_addresses_that_are_exempted_have_the_limit_of_their_keys_only(
    real_server: Server, tmp_path: Path
) -> None:
    gateway: Changes = {"nginx/limits.conf": {"# 203.0.113.7 0;": "127.0.0.7 0;"}}
    with nginx(tmp_path, [real_server.port], gateway) as edge:
        assert passed(ask(edge, 60, "127.0.0.7", key_header="X-Api-Key")) == 60
        assert passed(ask(edge, 60, "127.0.0.7", key_header="X-Api-Key", key="one")) < 60
        assert passed(ask(edge, 60, "127.0.0.8", key_header="X-Api-Key")) < 60


def drip(
    edge: Edge, addresses: list[str], stack: ExitStack, paths: Sequence[str] = (PATH,)
) -> list[socket.socket]:
    """Begin an upload from each address, to the paths in turn, of which a byte comes at a time."""
    sockets = [stack.enter_context(WireDoor(edge.port, address).connect()) for address in addresses]
    for sock, path in zip(sockets, cycle(paths), strict=False):
        sock.sendall(ENDLESS.format(path).encode())
    return sockets


def test_slow_senders_cost_the_others_nothing(edge: Edge) -> None:
    """More of them than gunicorn has threads, each from an address of its own."""
    with ExitStack() as stack:
        slow = drip(edge, [f"127.0.1.{last}" for last in range(1, 51)], stack)
        for _ in range(4):
            for sock in slow:
                sock.sendall(b"x")
            assert edge.door.send("GET", "/livez").status == 200
            assert post(edge.door, GOOD).status == 200
        for sock in slow:  # none was cut off, and none reached the service
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.recv(1)


@pytest.fixture
def often(real_server: Server, tmp_path: Path) -> Iterator[Edge]:
    """Return nginx with the limit of connections as shipped, where one may ask ever so often."""
    changes: Changes = {"nginx/limits.conf": UNLIMITED["nginx/limits.conf"]}
    with nginx(tmp_path, [real_server.port], changes) as edge:
        yield edge


def refused_of(slow: list[socket.socket], expected: int) -> int:
    """Count those that are answered 429, for half a second more once they are as expected."""
    waiting, end, is_settled = list(slow), time.monotonic() + START_S, False
    while time.monotonic() < end and not is_settled:
        is_settled = len(slow) - len(waiting) >= expected
        for sock in select.select(waiting, [], [], 0.5)[0]:
            assert sock.recv(4096).startswith(b"HTTP/1.1 429 ")
            waiting.remove(sock)
            is_settled = False
    return len(slow) - len(waiting)


@pytest.mark.parametrize(
    "paths", [[PATH], *([page] for page in PAGES), [PATH, *PAGES]], ids=" ".join
)
def test_one_address_has_a_bounded_number_of_slow_senders(often: Edge, paths: list[str]) -> None:
    """Wherever they send to: what waits on the disk is bounded by all of them together."""
    own, other = WireDoor(often.port, "127.0.0.2"), WireDoor(often.port, "127.0.0.3")
    with ExitStack() as stack:
        slow = drip(often, [own.address] * 50, stack, paths)
        surplus = len(slow) - CONNECTIONS
        assert refused_of(slow, surplus) == surplus
        error_of(post(own, GOOD), 429, "RATE_LIMITED")
        error_of(own.send("GET", "/"), 429, "RATE_LIMITED")
        assert own.send("GET", "/livez").status == 200
        assert post(other, GOOD).status == 200


def test_slow_health_checks_are_bounded_and_keep_no_picture_out(often: Edge) -> None:
    own = WireDoor(often.port, "127.0.0.2")
    with ExitStack() as stack:
        slow = drip(often, [own.address] * 50, stack, ["/livez"])
        surplus = len(slow) - CONNECTIONS
        assert refused_of(slow, surplus) == surplus
        error_of(own.send("GET", "/livez"), 429, "RATE_LIMITED")
        assert post(own, GOOD).status == 200
