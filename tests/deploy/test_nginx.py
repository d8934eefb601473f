"""nginx with its shipped configuration, before a real gunicorn: its own errors are the envelope."""

from __future__ import annotations

import re
import subprocess
import uuid
from pathlib import Path

import pytest

from harness import nginx as support
from harness.early import MB, pieces_of
from harness.http import WireDoor
from harness.nginx import Edge
from tests.support.http import FORM_TYPE, PATH, Server, error_of, file, form, free_port, post
from tests.support.tiny import ball, encoded

MIB = 1024 * 1024
GOOD = form(file("image", encoded(ball())))
CLOSE = "Host: x\r\nConnection: close\r\n"
POST = f"POST {PATH} HTTP/1.1\r\n{CLOSE}Content-Type: {FORM_TYPE}\r\n".encode()


def get(*lines: bytes, target: bytes = b"/livez") -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: x", *lines, b"", b""])


def test_nginx_itself_finds_no_fault_in_the_configuration(tmp_path: Path) -> None:
    support.render(tmp_path)
    command = [support.program(), "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    faults = [line for line in done.stderr.splitlines() if "[" in line]
    assert [line for line in faults if "super-user" not in line] == []  # said where nobody is root


def test_a_picture_comes_back_through_both_sites(edge: Edge) -> None:
    for door in (edge.door, edge.tls_door):
        answer = post(door, GOOD)
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "image/png"
        assert int(answer.headers["x-processing-ms"]) >= 0


OWN_ERRORS = {
    "garbage": (b"GARBAGE\r\n\r\n", 400, "VALIDATION_ERROR"),
    "TLS on the plain port": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "VALIDATION_ERROR"),
    "no host": (b"GET /livez HTTP/1.1\r\n\r\n", 400, "VALIDATION_ERROR"),
    "target that is no target": (get(target=b"/%zz"), 400, "VALIDATION_ERROR"),
    "path above the root": (get(target=b"/../x"), 400, "VALIDATION_ERROR"),
    "not for the public": (get(target=b"/metrics"), 404, "NOT_FOUND"),
    "the errors' own path": (get(target=b"/.bgremove/error"), 404, "NOT_FOUND"),
    "TRACE": (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
    "CONNECT": (b"CONNECT / HTTP/1.1\r\nHost: a:1\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
    "larger than 11 MiB": (POST + b"Content-Length: 11534337\r\n\r\n", 400, "VALIDATION_ERROR"),
    "length of 30 digits": (
        POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
        400,
        "VALIDATION_ERROR",
    ),
    "line of 9,000 bytes": (get(target=b"/" + b"a" * 9000), 414, "VALIDATION_ERROR"),
    "header of 9,000 bytes": (get(b"A: " + b"b" * 9000), 431, "VALIDATION_ERROR"),
    "40 kB of headers": (
        get(*[b"A%d: " % n + b"b" * 4000 for n in range(10)]),
        431,
        "VALIDATION_ERROR",
    ),
    "unknown coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501, "VALIDATION_ERROR"),
    "version 2.0": (b"GET /livez HTTP/2.0\r\nHost: x\r\n\r\n", 505, "VALIDATION_ERROR"),
}


@pytest.mark.parametrize("name", OWN_ERRORS)
def test_what_nginx_refuses_is_the_envelope(edge: Edge, name: str) -> None:
    request, status, code = OWN_ERRORS[name]
    (answer,) = edge.door.exchange(request, half_close=True)
    error_of(answer, status, code)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert uuid.UUID(answer.headers["x-request-id"]).version == 4
    assert ("allow" in answer.headers) == (status == 405)


def test_no_error_of_nginx_is_left_out() -> None:
    """Those it has pages of its own for, in HTML; 407 and 417 no part of it gives."""
    text = (support.SHIPPED / "nginx/errors.conf").read_text("utf-8")
    listed = re.findall(r"(?<![=\d])\d{3}\b", " ".join(re.findall(r"error_page ([^/]*)", text)))
    pages = {*range(400, 417), 421, 429, 494, 495, 496, 497, *range(500, 506), 507} - {407}
    assert pages <= {int(status) for status in listed}


def test_gunicorns_and_flasks_errors_come_through(edge: Edge) -> None:
    error_of(edge.door.send("GET", "/nothing"), 404, "NOT_FOUND")
    answer = edge.door.send("PUT", PATH, b"x")
    error_of(answer, 405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["allow"].split(", ")) == {"OPTIONS", "POST"}
    (answer,) = edge.door.exchange(get(b"Connection: close", target=b"/" + b"a" * 5000))
    error_of(answer, 414, "VALIDATION_ERROR")
    (answer,) = edge.door.exchange(b"get /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    error_of(answer, 400, "VALIDATION_ERROR")


def test_the_largest_picture_passes_nginx_and_one_byte_more_is_named_by_the_service(
    edge: Edge,
) -> None:
    picture = encoded(ball())
    largest = picture + bytes(10 * MIB - len(picture))  # a PNG may be followed by anything
    assert post(edge.door, form(file("image", largest))).status == 200
    error = error_of(post(edge.door, form(file("image", largest + b"x"))), 400, "VALIDATION_ERROR")
    assert "10,485,761" in error["message"]


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("path", ["/", "/livez", "/pages/x/main.js"])
def test_a_path_without_a_form_takes_no_large_body(edge: Edge, path: str, framing: str) -> None:
    head = f"POST {path} HTTP/1.1\r\n".encode()
    (answer,) = edge.door.exchange(*pieces_of(head, MB, framing))
    error = error_of(answer, 400, "VALIDATION_ERROR")
    assert error["message"].endswith("more than the 1 KiB that this path takes")
    assert error["details"] == []


def test_a_clients_well_formed_id_is_kept_everywhere(edge: Edge, real_server: Server) -> None:
    for path, status in (("/nothing", 404), ("/metrics", 404)):
        own = f"mine_{uuid.uuid4()}"[:64]
        answer = edge.door.send("GET", path, headers={"X-Request-Id": own})
        error_of(answer, status, "NOT_FOUND")
        assert answer.headers["x-request-id"] == own
        assert edge.line_of(own)["status"] == status
        passed_on = [line for line in real_server.lines() if line.get("requestId") == own]
        assert bool(passed_on) == (path == "/nothing")


@pytest.mark.parametrize(
    "offered", ["", "a b", "x" * 65, 'a"b', "a\\b", "é", "a,b", "${jndi:x}", "<b>"]
)
@pytest.mark.parametrize("path", ["/nothing", "/metrics"])
def test_an_id_that_is_not_well_formed_is_replaced(edge: Edge, path: str, offered: str) -> None:
    answer = edge.door.send("GET", path, headers={"X-Request-Id": offered})
    error_of(answer, 404, "NOT_FOUND")
    uuid.UUID(answer.headers["x-request-id"])


OPERATORS = ["metrics", "version", "readyz"]
DISGUISES = [
    "/{}",
    "//{}",
    "/./{}",
    "/x/../{}",
    "/{}/",
    "/{}?a=b",
    "/{}%23",
    "/{};a",
    "/{}//",
    "/%2f{}",
    "/%2e/{}",
    "http://x/{}",
    "http://x//{}",
    "/%{first:x}{rest}",
    "/.bgremove/../{}",
]


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_paths_are_not_public_in_any_disguise(edge: Edge, name: str) -> None:
    for disguise in DISGUISES:
        target = disguise.format(name, first=ord(name[0]), rest=name[1:])
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            request = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            (answer,) = edge.door.exchange(request.encode(), method=method)
            assert answer.status in {400, 404, 405}, (target, method, answer)


def test_liveness_is_public(edge: Edge) -> None:
    assert edge.door.send("GET", "/livez").json() == {"status": "live"}


def test_http_leads_to_https(edge: Edge) -> None:
    answer = WireDoor(edge.redirect_port).send("POST", f"{PATH}?a=b", GOOD)
    assert answer.status == 308
    assert answer.headers["location"] == f"https://127.0.0.1{PATH}?a=b"
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


def test_plain_http_on_the_tls_port_is_the_envelope(edge: Edge) -> None:
    (answer,) = WireDoor(edge.tls_port).exchange(get())
    assert "HTTPS" in error_of(answer, 400, "VALIDATION_ERROR")["message"]


def test_only_modern_tls_is_spoken(edge: Edge) -> None:
    for version, works in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.tls_port}", version]
        command += ["-cipher", "DEFAULT:@SECLEVEL=0", "-brief"]
        done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=60)
        assert (b"CONNECTION ESTABLISHED" in done.stderr) == works, (version, done.stderr)


def test_every_answer_has_each_security_header_once(edge: Edge) -> None:
    for path in ("/livez", "/nothing", "/metrics"):
        for door, secure in ((edge.door, False), (edge.tls_door, True)):
            answer = door.send("GET", path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert ("strict-transport-security" in answer.headers) == secure
            assert answer.headers["server"] == "nginx"
    (raw,) = edge.door.exchange(get(b"Connection: close"))
    assert "," not in raw.headers["x-content-type-options"]


def test_headers_the_service_sets_are_left_alone(tmp_path: Path) -> None:
    own = b"default-src 'self'"
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Security-Policy: " + own + b"\r\n\r\n"
    )
    with support.broken_upstream(answer) as port, support.nginx(tmp_path, [port]) as edge:
        (got,) = edge.door.exchange(get(b"Connection: close", target=b"/"))
        assert got.headers["content-security-policy"] == own.decode()


def test_the_log_is_json_forged_by_nobody_and_knows_no_key(edge: Edge) -> None:
    own = str(uuid.uuid4())
    forged = b'GET /%0a{"time":1}"\\x?a= HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
    forged += b'X-Api-Key: a-secret-key\r\nUser-Agent: "\\\xfe"\r\nX-Request-Id: ' + own.encode()
    edge.door.exchange(forged + b"\r\n\r\n")
    for strange in (b'X"\x02\xfd{\r\n\r\n', get(b"User-Agent: \x01"), get(target=b"/\xff")):
        edge.door.exchange(strange)
    line = edge.line_of(own)
    assert line["request"] == 'GET /%0a{"time":1}"\\x'  # the query may hold what is not for logs
    assert {"time", "client", "status", "ms", "bytesIn", "upstream"} <= set(line)
    text = (edge.folder / "access.log").read_text("ascii")
    assert "a-secret-key" not in text


def test_the_time_is_utc_wherever_the_machine_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/St_Johns")
    with support.nginx(tmp_path) as edge:
        error_of(edge.door.send("GET", "/metrics"), 404, "NOT_FOUND")  # compares it with the clock


def test_an_unfinished_request_is_closed_without_html(tmp_path: Path) -> None:
    """408: nginx has no answer to give, because it cannot know that anybody waits for one."""
    shorter = {
        "nginx.conf": {
            "client_header_timeout 10s": "client_header_timeout 1s",
            "client_body_timeout 15s": "client_body_timeout 1s",
        }
    }
    with support.nginx(tmp_path, [free_port()], shorter) as edge:
        for start in (b"GET / HTTP/1.1\r\nHost:", POST + b"Content-Length: 10\r\n\r\nabc"):
            with edge.door.connect() as sock:
                sock.sendall(start)
                assert sock.recv(100) == b""
