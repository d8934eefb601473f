"""Clients that send their bodies very slowly, while others send pictures."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from bench.stats import percentile
from faults.clients import ask, seconds_of
from faults.finding import Finding
from faults.room import head
from faults.stand import SMALL, Ground, usual
from harness.nginx import Edge

SENDERS, EACH = 200, 20  # the limit of connections per address in nginx
EVERY_S = 2.0
MORE_THAN = 1.5  # limit of the p95, in multiples of the p95 without them


def slow_senders(ground: Ground) -> Iterator[Finding]:
    """Send 200 bodies at a byte every two seconds: nginx buffers them; others are unaffected."""
    count = ground.count(10)
    what = f"{SENDERS} clients sending a byte every {EVERY_S:g} s, {count} pictures meanwhile"
    found = Finding(what, "nothing")
    with usual(ground, 1) as on:
        door = on.edge.door
        ask(door, SMALL)
        alone = [ask(door, SMALL) for _ in range(count)]
        with _senders(on.edge) as sockets:
            beside = [ask(door, SMALL) for _ in range(count)]
            held = sum(map(_is_open, sockets))
    found.saw(alone)
    found.saw(beside)
    found.at_most_lost(0)
    before, during = percentile(seconds_of(alone), 95), percentile(seconds_of(beside), 95)
    found.note(f"p95 {before * 1000:.0f} ms without them, {during * 1000:.0f} ms beside them")
    found.note(f"{held} of them still connected")
    found.expect(held == SENDERS, f"{SENDERS - held} of the senders were turned away")
    bound_s = MORE_THAN * before if ground.strict else before + 20
    found.expect(during <= bound_s, f"p95 {during:.2f} s, more than {bound_s:.2f} s")
    yield found


@contextlib.contextmanager
def _senders(edge: Edge) -> Iterator[list[socket.socket]]:
    enough = threading.Event()
    with contextlib.ExitStack() as stack:
        sockets = []
        for number in range(SENDERS):
            source = (f"127.0.1.{1 + number // EACH}", 0)
            sock = socket.create_connection(("127.0.0.1", edge.port), 10, source)
            stack.enter_context(sock)
            sock.sendall(head(SMALL))
            sockets.append(sock)
        thread = threading.Thread(target=_drip, args=(sockets, enough))
        thread.start()
        try:
            yield sockets
        finally:
            enough.set()
            thread.join()


def _drip(sockets: list[socket.socket], enough: threading.Event) -> None:
    for byte in SMALL:
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.sendall(bytes([byte]))
        if enough.wait(EVERY_S):
            return


def _is_open(sock: socket.socket) -> bool:
    """Return whether the other side has neither answered nor closed."""
    sock.setblocking(False)
    try:
        sock.recv(1)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
