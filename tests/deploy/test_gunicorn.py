"""gunicorn with its configuration: every answer is the envelope, and every answer arrives."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gunicorn.util
import pytest

from harness.early import TIMES
from harness.metrics import scraped
from tests.support.http import (
    FORM_TYPE,
    PATH,
    Answer,
    Server,
    error_of,
    file,
    form,
    post,
)
from tests.support.http import gunicorn as run_gunicorn
from tests.support.tiny import ball, encoded, tiny_weights

MB = 1_000_000
POST = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\n".encode()
GOOD = form(file("image", encoded(ball())))
REAL = form(file("image", encoded(ball(1500, 1000), ".jpg")))
CHUNKED = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
LEAVING = b"Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    folder = tmp_path_factory.mktemp("gunicorn")
    with run_gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(weights)}) as server:
        yield server


def chunk(data: bytes, size: str | None = None) -> bytes:
    return (size or f"{len(data):x}").encode("latin-1") + b"\r\n" + data + b"\r\n"


def length(count: int) -> bytes:
    return f"Content-Length: {count}\r\n".encode()


def get(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET /livez HTTP/1.1", *lines, b"", b""])


UNREADABLE = {
    "garbage": (b"GARBAGE\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "lower-case method": (b"get /livez HTTP/1.1\r\n\r\n", 400),
    "method of 21 letters": (b"A" * 21 + b" /livez HTTP/1.1\r\n\r\n", 400),
    "two spaces": (b"GET  /livez HTTP/1.1\r\n\r\n", 400),
    "no version": (b"GET /livez\r\n\r\n", 400),
    "version 9.9": (b"GET /livez HTTP/9.9\r\n\r\n", 400),
    "version 2.0": (b"GET /livez HTTP/2.0\r\n\r\n", 400),
    "bytes in the target": (b"GET /\xff\x00 HTTP/1.1\r\n\r\n", 400),
    "script in the target": (b"GET /<script>alert(1)</script> HTTP/1.x\r\n\r\n", 400),
    "no slash": (b"GET livez HTTP/1.1\r\n\r\n", 400),
    "header without colon": (get(b"Nothing"), 400),
    "header without name": (get(b": x"), 400),
    "space before the colon": (get(b"A : b"), 400),
    "space in a name": (get(b"A B: c"), 400),
    "folded header": (get(b"A: b", b" c"), 400),
    "NUL in a header": (get(b"A: b\x00c"), 400),
    "bare CR in a header": (get(b"A: b\rc"), 400),
    "two hosts": (get(b"Host: a", b"Host: b"), 400),
    "two content types": (POST + b"Content-Type: a/b\r\n" + length(0) + LEAVING, 400),
    "two lengths": (POST + length(5) + length(5) + LEAVING, 400),
    "length and chunked": (POST + length(5) + CHUNKED + chunk(b""), 400),
    "negative length": (POST + length(-1) + LEAVING, 400),
    "length with a plus": (POST + b"Content-Length: +5\r\n" + LEAVING, 400),
    "length in hex": (POST + b"Content-Length: 0x5\r\n" + LEAVING, 400),
    "two lengths in one": (POST + b"Content-Length: 5, 5\r\n" + LEAVING, 400),
    "gzip alone": (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    "chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
    "chunked in HTTP/1.0": (POST.replace(b"1.1", b"1.0") + CHUNKED + chunk(b""), 400),
    "unknown coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "target of 5,000": (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 414),
    "header of 9,000": (get(b"A: " + b"b" * 9000), 431),
    "101 headers": (get(*[b"A%d: b" % n for n in range(101)]), 431),
    "boundary of 9,000": (POST.replace(b"XyZ", b"b" * 9000) + LEAVING, 431),
    "another expectation": (POST + b"Expect: cookies\r\n" + length(0) + LEAVING, 417),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_gunicorn_cannot_read_is_answered_by_the_envelope(server: Server, name: str) -> None:
    request, status = UNREADABLE[name]
    (answer,) = server.door.exchange(request)
    error_of(answer, status, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "lines",
    [
        (b"X-Forwarded-Proto: http", b"X-Forwarded-Ssl: on"),
        (b"X-Forwarded-Proto: https", b"X-Forwarded-Ssl: off"),
        (b"X-Forwarded-Proto: http", b"X-Forwarded-Protocol: ssl"),
    ],
)
def test_proxies_may_disagree_about_the_scheme(server: Server, lines: tuple[bytes, ...]) -> None:
    """nginx sends one such header; what another proxy before it sent in the others comes along."""
    (answer,) = server.door.exchange(get(b"Host: x", b"Connection: close", *lines))
    assert answer.status == 200


def test_nothing_else_of_gunicorn_writes_html() -> None:
    """`util.write_error` is the one place, and deploy/gunicorn.conf.py replaces it."""
    package = Path(gunicorn.util.__file__).parent
    writers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "text/html" in path.read_text("utf-8")
    }
    assert writers <= {"util.py", "config.py"}


BROKEN_CHUNKS = {
    "size of letters": chunk(GOOD, "xyz") + chunk(b""),
    "negative size": chunk(GOOD, "-5") + chunk(b""),
    "size with 0x": chunk(GOOD, f"0x{len(GOOD):x}") + chunk(b""),
    "no size": chunk(GOOD, " ") + chunk(b""),
    "size too small": chunk(GOOD, f"{len(GOOD) - 1:x}") + chunk(b""),
    "size too large": chunk(GOOD, f"{len(GOOD) + 1:x}") + chunk(b""),
    "size line of 9,000": chunk(GOOD, "0" * 9000) + chunk(b""),
    "bad extension": chunk(GOOD, f"{len(GOOD):x};\x01") + chunk(b""),
    "forbidden trailer": chunk(GOOD) + b"0\r\nContent-Length: 5\r\n\r\n",
    "no last chunk": chunk(GOOD),
    "cut in a chunk": chunk(GOOD)[:-20],
}


@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_broken_chunks_are_a_form_at_fault(server: Server, name: str) -> None:
    (answer,) = server.door.exchange(POST + CHUNKED + BROKEN_CHUNKS[name], half_close=True)
    error = error_of(answer, 400, "VALIDATION_ERROR")
    assert error["message"] == "The form is malformed or ends early"


@pytest.mark.parametrize("name", ["size of letters", "cut in a chunk"])
def test_broken_chunks_where_nobody_reads_them(server: Server, name: str) -> None:
    request = (POST + CHUNKED + BROKEN_CHUNKS[name]).replace(PATH.encode(), b"/nothing")
    (answer,) = server.door.exchange(request, half_close=True)
    error_of(answer, 404, "NOT_FOUND")


WHOLE = {
    "with its length": POST + length(len(GOOD)) + LEAVING + GOOD,
    "in one chunk": POST + CHUNKED + chunk(GOOD) + chunk(b""),
    "in chunks of one byte": POST
    + CHUNKED
    + b"".join(chunk(GOOD[n : n + 1]) for n in range(len(GOOD)))
    + chunk(b""),
    "with chunk extensions": POST + CHUNKED + chunk(GOOD, f"{len(GOOD):X};a=b") + chunk(b""),
    "with a trailer": POST + CHUNKED + chunk(GOOD) + b"0\r\nX-Sum: 1\r\n\r\n",
    "with HTTP/1.0": POST.replace(b"1.1", b"1.0") + length(len(GOOD)) + b"\r\n" + GOOD,
    "with Expect": POST + length(len(GOOD)) + b"Expect: 100-continue\r\n" + LEAVING + GOOD,
    "with Expect, chunked": POST + b"Expect: 100-Continue\r\n" + CHUNKED + chunk(GOOD) + chunk(b""),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_body_is_taken_however_it_comes(server: Server, name: str) -> None:
    (answer,) = server.door.exchange(WHOLE[name])
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "image/png"


def test_a_body_in_pieces_is_taken(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
        request = POST + length(len(GOOD)) + LEAVING + GOOD
        step = len(request) // 10 + 1
        for start in range(0, len(request), step):
            sock.sendall(request[start : start + step])
            time.sleep(0.02)
        assert sock.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_body_shorter_than_its_length(server: Server) -> None:
    cut = POST + length(len(GOOD) + 100) + LEAVING + GOOD[:-30]
    (answer,) = server.door.exchange(cut, half_close=True)
    error = error_of(answer, 400, "VALIDATION_ERROR")
    assert error["message"] == "The form is malformed or ends early"


def test_a_body_longer_than_its_length(server: Server) -> None:
    """What is beyond the length is no part of the form, and no second request either."""
    (answer,) = server.door.exchange(POST + length(len(GOOD) - 30) + LEAVING + GOOD)
    error_of(answer, 400, "VALIDATION_ERROR")


def test_no_body_and_no_length(server: Server) -> None:
    (answer,) = server.door.exchange(POST + LEAVING)
    error = error_of(answer, 400, "VALIDATION_ERROR")
    assert error["message"] == "Missing or empty image file"


@pytest.mark.parametrize("boundary", [b"\xfcber", b'"\xfcber"', b'"a\tb"'])
def test_boundaries_a_client_cannot_mean(server: Server, boundary: bytes) -> None:
    request = POST.replace(b"XyZ", boundary) + length(len(GOOD)) + LEAVING + GOOD
    (answer,) = server.door.exchange(request)
    error_of(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("name", [b"SCRIPT_NAME", b"PATH_INFO", b"Script-Name", b"REMOTE_USER"])
def test_no_header_is_taken_for_the_servers_own_words(server: Server, name: bytes) -> None:
    (answer,) = server.door.exchange(get(name + b": /x", b"Connection: close"))
    assert answer.status == 200
    assert answer.json() == {"status": "live"}


@pytest.mark.parametrize("host", [b"", b"a b", b"<x>", b"a/b", b"[::1", b"\xff"])
def test_a_strange_host_is_no_500(server: Server, host: bytes) -> None:
    (answer,) = server.door.exchange(get(b"Host: " + host, b"Connection: close"))
    assert answer.status in {200, 400}
    if answer.status == 400:
        error_of(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("path", "status"), [("//livez", 404), ("/livez//", 404), ("/v1//x", 404), ("/./livez", 404)]
)
def test_slashes_are_never_answered_by_a_redirect(server: Server, path: str, status: int) -> None:
    """Raw, because Python's HTTP client merges them itself."""
    (answer,) = server.door.exchange(f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + LEAVING)
    assert answer.status == status
    assert isinstance(answer.json(), dict)


def test_a_connection_is_kept_through_errors(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        for path, status in (("/nothing", 404), (PATH, 400), ("/nothing", 404), (PATH, 200)):
            body = GOOD if status == 200 else b"x" * 100_000
            connection.request("POST", path, body, {"Content-Type": FORM_TYPE})
            socket_used = connection.sock
            response = connection.getresponse()
            response.read()
            assert response.status == status
            assert connection.sock is socket_used
    finally:
        connection.close()


EARLY = {
    "404": (b"POST /nothing HTTP/1.1\r\nHost: x\r\n", 404, "NOT_FOUND"),
    "405": (f"PUT {PATH} HTTP/1.1\r\nHost: x\r\n".encode(), 405, "METHOD_NOT_ALLOWED"),
    "too large": (POST, 400, "VALIDATION_ERROR"),
}


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("count", [12 * MB, 60 * MB])
@pytest.mark.parametrize("name", EARLY)
def test_early_answers_arrive(server: Server, name: str, count: int, framing: str) -> None:
    """A plain client sends its whole body before it reads: each gets the answer, not a reset."""
    head, status, code = EARLY[name]
    if framing == "length":
        pieces = [head + length(count) + LEAVING, bytes(count)]
    else:
        pieces = [head + CHUNKED, *[chunk(bytes(MB))] * (count // MB), chunk(b"")]
    for _ in range(TIMES):
        (answer,) = server.door.exchange(*pieces)
        error_of(answer, status, code)


def test_a_client_that_waits_for_the_answer_gets_it_at_once(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=4) as sock:
        sock.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\n" + length(9 * MB) + b"\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 404 NOT FOUND\r\n")


def test_stalled_clients_do_not_take_the_threads(server: Server) -> None:
    """More of them than there are threads, each after an early answer; then a plain request."""
    sockets = []
    try:
        for _ in range(40):
            sock = socket.create_connection(("127.0.0.1", server.port), timeout=60)
            sockets.append(sock)
            sock.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\n" + length(9 * MB) + b"\r\n")
        assert server.door.send("GET", "/livez").status == 200
    finally:
        for sock in sockets:
            sock.close()


def test_the_log_is_json_and_forged_by_nobody(server: Server) -> None:
    server.door.exchange(b'GET /%0a{"level":"FORGED"} HTTP/1.1\r\nHost: x\r\n' + LEAVING)
    server.door.exchange(b'X\r\n{"level": "FORGED"}\r\n\r\n')
    server.door.exchange(get(b'{"level": "FORGED"}'))
    lines = server.lines()
    assert {line["level"] for line in lines} <= {"INFO", "WARNING", "ERROR"}
    assert "Listening at" in " ".join(line["message"] for line in lines)


def test_an_unread_request_is_logged_with_the_id_its_client_got(server: Server) -> None:
    (answer,) = server.door.exchange(b"GARBAGE\r\n\r\n")
    (line,) = [
        line for line in server.lines() if line.get("requestId") == answer.headers["x-request-id"]
    ]
    assert line["status"] == 400


def test_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    settings = {"BGREMOVE_WEIGHTS_DIR": str(tiny_weights(weights))}
    with run_gunicorn(tmp_path, settings) as server:
        assert server.door.send("GET", "/livez").status == 200
        assert server.stop() == 0
    assert not [line for line in server.lines() if line["level"] in {"ERROR", "CRITICAL"}]


def test_it_is_live_but_not_ready_without_weights(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (tiny_weights(weights) / "tiny.onnx").unlink()
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights)}
    with run_gunicorn(tmp_path, settings, wait_for="/livez") as server:
        answer = server.door.send("GET", "/readyz")
        error = error_of_not_ready(answer)
        assert "tiny" in str(error)
        error_of(post(server.door, GOOD), 502, "UPSTREAM_ERROR")


def error_of_not_ready(answer: Answer) -> object:
    assert answer.headers["retry-after"] == "1"
    return error_of(answer, 503, "NOT_READY")


def test_health_answers_and_overload_is_told_while_inference_runs(
    weights: Path, tmp_path: Path
) -> None:
    """Real weights, one place, no queue, four clients at once; then SIGTERM while one is served."""
    settings = {
        "BGREMOVE_WEIGHTS_DIR": str(weights),
        "BGREMOVE_PLACES": "1",
        "BGREMOVE_QUEUE": "0",
    }
    with run_gunicorn(tmp_path, settings) as server, ThreadPoolExecutor(4) as clients:
        assert server.cpu_s < 5  # ready within 5 s on an idle core; the clock would count others
        posts = [clients.submit(post, server.door, REAL) for _ in range(4)]
        answered = 0
        while not all(answer.done() for answer in posts):
            assert server.door.send("GET", "/livez").status == 200
            answered += 1
        assert answered > 3, "health waits for inference"
        answers = [answer.result() for answer in posts]
        assert {answer.status for answer in answers} == {200, 503}
        for refused in (answer for answer in answers if answer.status == 503):
            error_of(refused, 503, "OVERLOADED")
            assert refused.headers["retry-after"] == "1"
        last = clients.submit(post, server.door, REAL)
        while scraped(server.door).of("places_in_use") == 0 and not last.done():
            time.sleep(0.01)
        server.process.terminate()
        assert last.result().status == 200
        assert server.stop() == 0


def test_a_passed_deadline_is_a_502_and_the_place_is_free_again(
    weights: Path, tmp_path: Path
) -> None:
    settings = {
        "BGREMOVE_WEIGHTS_DIR": str(weights),
        "BGREMOVE_TIMEOUT_S": "0.1",
        "BGREMOVE_PLACES": "1",
        "BGREMOVE_QUEUE": "0",
    }
    with run_gunicorn(tmp_path, settings) as server:
        for _ in range(3):
            error = error_of(post(server.door, REAL), 502, "UPSTREAM_ERROR")
            assert "0.1 seconds" in error["message"]
        assert server.door.send("GET", "/livez").status == 200
        assert server.stop() == 0


def test_only_the_address_it_was_told_listens(server: Server) -> None:
    """127.0.0.2 is this machine as well: a server bound to all addresses would answer there."""
    socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


@pytest.mark.parametrize("path", ["//metrics", "///metrics", "//livez"])
def test_slashes_in_front_lead_nowhere(server: Server, path: str) -> None:
    error_of(server.door.send("GET", path), 404, "NOT_FOUND")
