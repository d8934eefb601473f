"""Clients without nginx that waste threads: tiny chunks, unread answers, surplus uploads."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from bgremove.serving.capacity import READERS
from bgremove.settings import Settings
from faults.finding import Finding
from faults.overload import judge_health, watched
from faults.room import head, unhurried
from faults.stand import SMALL, Ground, usual
from harness.forms import FORM_TYPE
from harness.gunicorn import Server
from harness.http import ANSWER_S, PATH
from harness.programs import LOOK_EVERY_S

Sender = Callable[[Server], None]
DEFAULTS = Settings()
BODIES = DEFAULTS.places + DEFAULTS.queue + READERS  # bodies that a worker reads at once
CONNECTIONS, UNREAD = 40, 60
SURPLUS = 60
HEALTH_S = 0.2  # limit of the p99 of /livez and /readyz
CHUNKS = b"1\r\n-\r\n" * 10_000
CHUNKED = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\n".encode()
CHUNKED += b"Transfer-Encoding: chunked\r\n\r\n"
PAGE = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"
HELD_S = 3.0  # of a connection whose answers are not read


def tiny_chunks(ground: Ground) -> Iterator[Finding]:
    """Send bodies in chunks of one byte, as many at once as the server reads."""
    found = Finding(f"{BODIES} clients without nginx, bodies in chunks of one byte", "their bodies")

    def send(server: Server) -> None:
        with server.door.connect() as sock, contextlib.suppress(OSError):
            sock.sendall(CHUNKED)
            for _ in range(20):
                sock.sendall(CHUNKS)

    _crowd(ground, found, send, BODIES)
    yield found


def unread_answers(ground: Ground) -> Iterator[Finding]:
    """Ask for pages and read none of them."""
    what = f"{CONNECTIONS} connections without nginx, {UNREAD} unread pages on each"
    found = Finding(what, "their answers")

    def send(server: Server) -> None:
        with contextlib.suppress(OSError), unhurried(server.port) as sock:
            sock.sendall(PAGE * UNREAD)
            time.sleep(HELD_S)

    _crowd(ground, found, send, CONNECTIONS)
    yield found


def surplus_uploads(ground: Ground) -> Iterator[Finding]:
    """Send more uploads than the server reads at once; each 503 must have Connection: close."""
    what = f"{SURPLUS} uploads without nginx beyond the {BODIES} read at once, none of which ends"
    found = Finding(what, "the surplus: 503 with Connection: close")
    answers: list[bytes] = []

    def send(server: Server) -> None:
        """Wait for an answer, until all surplus uploads have one; the others are being read."""
        end = time.monotonic() + ANSWER_S
        with server.door.connect() as sock, contextlib.suppress(ConnectionError):
            sock.sendall(head(SMALL, more=""))
            sock.settimeout(LOOK_EVERY_S)
            while len(answers) < SURPLUS and time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    answers.append(sock.recv(4096))
                    return

    _crowd(ground, found, send, BODIES + SURPLUS)
    refused = [one for one in answers if one.startswith(b"HTTP/1.1 503")]
    closing = [one for one in refused if b"\r\nConnection: close\r\n" in one]
    found.note(f"{len(refused)} × 503, {len(closing)} of them with Connection: close")
    found.expect(bool(refused), "nobody was refused")
    found.expect(len(closing) == len(refused), "a 503 kept its connection and closed it")
    yield found


def _crowd(ground: Ground, found: Finding, send: Sender, count: int) -> None:
    """Run the clients at once and measure health meanwhile."""
    with usual(ground, 1) as on:
        server = on.servers[0]
        threads = [threading.Thread(target=send, args=(server,)) for _ in range(count)]
        with watched(server) as health:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    judge_health(found, health, ground.seconds(HEALTH_S))
