"""Clients that send or take their bytes one by one, or none: health answers, and so do others."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bgremove.serving.capacity import READERS, SPARE_THREADS
from harness.waiting import until
from tests.support.http import (
    FORM_TYPE,
    PATH,
    START_S,
    Server,
    error_of,
    file,
    form,
    gunicorn,
    post,
)
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball())))
PLACES, QUEUE = 1, 2
PATIENCE_S, TIMEOUT_S = 60, 2  # limits of receiving a body, on the two servers
BODIES = PLACES + QUEUE + READERS
CROWD = BODIES + SPARE_THREADS + 8  # more than there are threads
PROMPT_S = 9.0  # below HEADERS_S, the shortest time for which a client holds what it can
UPLOAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\n".encode()
SLOW = UPLOAD + b"Content-Length: 100000\r\n\r\n"
SLOW_CHUNKS = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n"
ELSEWHERE = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(tmp_path_factory, PATIENCE_S) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that soon gives up on a body."""
    with started(tmp_path_factory, TIMEOUT_S) as server:
        yield server


@contextlib.contextmanager
def started(tmp_path_factory: pytest.TempPathFactory, timeout_s: int) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    settings = {
        "BGREMOVE_WEIGHTS_DIR": str(weights),
        "BGREMOVE_READ_TIMEOUT_S": str(timeout_s),
        "BGREMOVE_PLACES": str(PLACES),
        "BGREMOVE_QUEUE": str(QUEUE),
    }
    with gunicorn(tmp_path_factory.mktemp("gunicorn"), settings) as server:
        yield server
        assert not [line for line in server.lines() if line["level"] in {"ERROR", "CRITICAL"}]


@contextlib.contextmanager
def crowd(server: Server, opening: bytes, then: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open a crowd of connections: each says ``opening``, ``then`` a byte every half second."""
    socks = [server.door.connect() for _ in range(CROWD)]
    enough = threading.Event()

    def trickle() -> None:
        for byte in then:
            if enough.wait(0.5):
                return
            for sock in socks:
                with contextlib.suppress(OSError):
                    sock.sendall(bytes([byte]))

    thread = threading.Thread(target=trickle)
    try:
        for sock in socks:
            sock.sendall(opening)
        thread.start()
        yield socks
    finally:
        enough.set()
        thread.join()
        for sock in socks:
            sock.close()


def check_health(server: Server) -> None:
    for _ in range(5):
        for path in ("/livez", "/readyz"):
            started = time.monotonic()
            assert server.door.send("GET", path).status == 200
            assert time.monotonic() - started < PROMPT_S
        time.sleep(0.1)


def answers_of(socks: list[socket.socket], count: int) -> list[bytes]:
    """Wait until ``count`` of the crowd have an answer; return these answers."""
    answers: list[bytes] = []
    waiting = list(socks)
    while len(answers) < count:
        ready = select.select(waiting, [], [], START_S)[0]
        assert ready, f"{len(answers)} answers of {count}"
        for sock in ready:
            answers.append(sock.recv(4096))
            waiting.remove(sock)
    return answers


@pytest.mark.parametrize("opening", [SLOW, SLOW_CHUNKS], ids=["length", "chunks"])
def test_bodies_that_come_byte_by_byte_leave_threads_for_health(
    server: Server, opening: bytes
) -> None:
    with crowd(server, opening, b"5\r\n" if opening == SLOW_CHUNKS else b"-" * 60) as socks:
        check_health(server)
        answers = answers_of(socks, CROWD - BODIES)  # the others wait for the rest of their bodies
    assert all(answer.startswith(b"HTTP/1.1 503") for answer in answers)
    assert all(b"\r\nConnection: close\r\n" in answer for answer in answers)
    until_free(server)


def test_bodies_that_nobody_wants_leave_threads_for_health(hasty: Server) -> None:
    with crowd(hasty, ELSEWHERE, b"-" * 60) as socks:
        statuses = {answer[9:12] for answer in answers_of(socks, CROWD)}
    assert statuses == {b"404", b"503"}
    until_free(hasty)


def until_free(server: Server) -> None:
    until(lambda: post(server.door, GOOD).status == 200)


def test_a_body_not_there_by_the_deadline_is_a_400_that_names_it(hasty: Server) -> None:
    with ThreadPoolExecutor(2) as clients:
        openings = (SLOW + b"--XyZ", SLOW_CHUNKS + b"5\r\n--XyZ")
        exchanges = [clients.submit(hasty.door.exchange, opening) for opening in openings]
    for exchange in exchanges:
        (answer,) = exchange.result()
        error = error_of(answer, 400, "VALIDATION_ERROR")
        assert error["message"].endswith(f"within the limit of {TIMEOUT_S} seconds")


def test_what_comes_after_a_body_that_was_cut_off_is_no_request(hasty: Server) -> None:
    with hasty.door.connect() as sock:
        sock.sendall(SLOW)
        answers = sock.recv(20)
        with contextlib.suppress(OSError):
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            while block := sock.recv(4096):
                answers += block
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "opening",
    [b"", b"G", b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nG"],
    ids=["nothing", "a byte", "headers", "another request"],
)
def test_headers_that_never_end_hold_nothing(server: Server, opening: bytes) -> None:
    with crowd(server, opening, b"A: b" * 5):
        check_health(server)
        assert post(server.door, GOOD).status == 200


def test_headers_in_pieces_are_taken(server: Server) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with server.door.connect() as sock:
        for byte in request:
            sock.sendall(bytes([byte]))
            time.sleep(0.005)
        assert sock.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_sent_ahead_are_answered_in_turn(server: Server) -> None:
    two = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 2
    with server.door.connect() as sock:
        sock.sendall(two[:-3])
        time.sleep(0.2)
        sock.sendall(two[-3:])
        sock.settimeout(10)
        answers = b""
        while answers.count(b'{"status":"live"}') < 2:
            block = sock.recv(4096)
            assert block
            answers += block


def test_more_headers_than_there_may_be_are_a_431(server: Server) -> None:
    (answer,) = server.door.exchange(b"GET /livez HTTP/1.1\r\n" + b"A: b\r\n" * 15_000)
    error_of(answer, 431, "VALIDATION_ERROR")


def test_clients_that_do_not_close_hold_nothing(server: Server) -> None:
    """gunicorn by itself waits 2 s for each, in the thread that takes connections."""
    with crowd(server, b"GET /livez HTTP/1.0\r\n\r\n"), crowd(server, b"GARBAGE\r\n\r\n"):
        check_health(server)


def test_an_answer_that_nobody_takes_holds_no_place(server: Server) -> None:
    noise = encoded(ball(3000, 2000))
    large = form(file("image", noise))
    head = UPLOAD + f"Content-Length: {len(large)}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            sock = socket.socket()
            stack.enter_context(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(head + large)
        check_health(server)
        until_free(server)


def chunked(size: int, body: bytes = GOOD) -> bytes:
    """Return a whole upload in chunks of one size."""
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return (
        SLOW_CHUNKS + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"
    )


def test_a_body_in_chunks_of_a_few_bytes_is_left(server: Server) -> None:
    padded = form(file("image", encoded(ball()) + bytes(5000)))
    (answer,) = server.door.exchange(chunked(4096, padded))
    assert answer.status == 200
    (answer,) = server.door.exchange(chunked(1, padded))
    error_of(answer, 400, "VALIDATION_ERROR")
    assert answer.headers["connection"] == "close"


def test_health_has_threads_that_nobody_else_can_take(server: Server) -> None:
    page = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(CROWD):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(page * 300)  # its answers are never read
        time.sleep(1)  # every other thread waits for one of them
        check_health(server)
        assert server.door.send("GET", "/metrics").status == 200


@pytest.mark.parametrize("path", ["livez", "metrics"])
def test_health_with_a_body_or_unread_answers_takes_no_thread_of_health(
    server: Server, path: str
) -> None:
    opening = f"GET /{path} HTTP/1.1\r\nHost: x\r\n".encode()
    with crowd(server, opening + b"content-length: 100000\r\n\r\n"):
        check_health(server)
    with crowd(server, (opening + b"\r\n") * 40):
        check_health(server)
