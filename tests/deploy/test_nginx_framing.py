"""Requests built to be read one way by nginx and another way by gunicorn: nobody is fooled.

Each has a second request hidden where only a wrong reading finds it. It must have one answer at
most, its hidden request must never reach gunicorn, and the next client must get its own answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.nginx import UNLIMITED, Edge, nginx
from tests.support.http import Server, gunicorn
from tests.support.tiny import tiny_weights

HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /nothing HTTP/1.1\r\nHost: x\r\n"
LAST = b"0\r\n\r\n"
SILENCE_S = 0.7  # after which no more answers are waited for
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d) ")


def with_length(*headers: bytes, body: bytes = LAST + HIDDEN, head: bytes = POST) -> bytes:
    """Return a request whose length holds all of the body; who reads chunks finds HIDDEN in it."""
    lines = [*headers, b"Content-Length: %d" % len(body)]
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def of_length(value: bytes, body: bytes = HIDDEN) -> bytes:
    return POST + b"Content-Length: " + value + b"\r\n\r\n" + body


def chunked(body: bytes, *headers: bytes) -> bytes:
    lines = [*headers, b"Transfer-Encoding: chunked"]
    return POST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def sized(size: bytes) -> bytes:
    """Return a body whose first chunk has a strange size; HIDDEN follows if it is read as none."""
    return size + b"\r\n" + LAST + HIDDEN


def get(target: bytes, *headers: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([b"GET " + target + b" " + version, b"Host: x", *headers, b"", b""])


SIZE = b"%d" % len(HIDDEN)
HEX = b"%x" % len(LAST + HIDDEN)
CODINGS = {
    "chunked": b"Transfer-Encoding: chunked",
    "space before the colon": b"Transfer-Encoding : chunked",
    "tab": b"Transfer-Encoding:\tchunked",
    "vertical tab": b"Transfer-Encoding:\x0bchunked",
    "form feed": b"Transfer-Encoding: \x0cchunked",
    "NUL before": b"Transfer-Encoding: \x00chunked",
    "NUL after": b"Transfer-Encoding: chunked\x00",
    "leading space": b" Transfer-Encoding: chunked",
    "folded": b"Transfer-Encoding:\r\n chunked",
    "after a bare LF": b"A: b\nTransfer-Encoding: chunked",
    "after a bare CR": b"A: b\rTransfer-Encoding: chunked",
    "LF in its name": b"Transfer-Encoding\n: chunked",
    "upper case": b"TRANSFER-ENCODING: CHUNKED",
    "underscore": b"Transfer_Encoding: chunked",
    "quoted": b'Transfer-Encoding: "chunked"',
    "cut": b"Transfer-Encoding: chunk",
    "xchunked": b"Transfer-Encoding: xchunked",
    "with a parameter": b"Transfer-Encoding: chunked;q=1",
    "identity first": b"Transfer-Encoding: identity, chunked",
    "identity last": b"Transfer-Encoding: chunked, identity",
    "gzip first": b"Transfer-Encoding: gzip, chunked",
    "comma": b"Transfer-Encoding: ,chunked",
    "twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "twice, the other way": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "empty": b"Transfer-Encoding:",
    "byte of 0xff": b"Transfer-Encoding: chunked\xff",
    "semicolon in its name": b"Transfer-Encoding;: chunked",
    "as another header": b"Content-Encoding: chunked",
    "named by Connection": b"Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
}
ATTACKS = {f"coding, {name}": with_length(line) for name, line in CODINGS.items()} | {
    "length after chunked": chunked(
        b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + LAST, b"Content-Length: 4"
    ),
    "chunked in HTTP/1.0": with_length(CODINGS["chunked"], head=POST.replace(b"1.1", b"1.0")),
    "two lengths, the first 0": of_length(b"0\r\nContent-Length: " + SIZE),
    "two lengths, the second 0": of_length(SIZE + b"\r\nContent-Length: 0"),
    "the same length twice": of_length(SIZE + b"\r\nContent-Length: " + SIZE),
    "lengths in a list": of_length(SIZE + b", " + SIZE),
    "length with plus": of_length(b"+" + SIZE),
    "length of minus nothing": of_length(b"-0"),
    "length in hexadecimal": of_length(b"0x%x" % len(HIDDEN)),
    "length with NUL": of_length(SIZE + b"\x000"),
    "length with a point": of_length(SIZE + b".0"),
    "length with exponent": of_length(SIZE + b"e0"),
    "length with underscores": of_length(b"3_5"),
    "length with zeros": of_length(b"0" * 20 + SIZE),
    "length beyond 64 bits": of_length(b"18446744073709551616"),
    "length in other digits": of_length("٣٥".encode()),
    "length empty": of_length(b""),
    "space before the colon of the length": with_length(body=HIDDEN).replace(
        b"Length:", b"Length :"
    ),
    "length named by Connection": with_length(b"Connection: Content-Length", body=HIDDEN),
    "chunk of 0x": chunked(sized(b"0x" + HEX)),
    "chunk with plus": chunked(sized(b"+" + HEX)),
    "chunk of minus one": chunked(sized(b"-1")),
    "chunk beyond 64 bits": chunked(sized(b"10000000000000000")),
    "chunk of 16 F": chunked(sized(b"F" * 16)),
    "chunk with underscore": chunked(sized(b"0_" + HEX)),
    "chunk with no size": chunked(sized(b"")),
    "chunk of NUL": chunked(sized(b"\x00")),
    "chunk with leading space": chunked(sized(b" " + HEX)),
    "LF in a chunk's extension": chunked(b"2;\nxx\r\nab\r\n" + HEX + b"\r\n" + LAST + HIDDEN),
    "chunk ended by LF alone": chunked(b"5\nhello\n0\n" + HIDDEN),
    "chunk longer than said": chunked(b"2\r\nhello\r\n" + LAST + HIDDEN),
    "request as trailer": chunked(b"5\r\nhello\r\n0\r\n" + HIDDEN),
    "length as trailer": chunked(b"5\r\nhello\r\n0\r\nContent-Length: 0\r\n" + HIDDEN),
    "GET with a body": with_length(head=b"GET /livez HTTP/1.1\r\nHost: x\r\n"),
    "HEAD with a body": with_length(head=b"HEAD /livez HTTP/1.1\r\nHost: x\r\n"),
    "OPTIONS with a body": with_length(head=b"OPTIONS /livez HTTP/1.1\r\nHost: x\r\n"),
    "Expect": with_length(b"Expect: 100-continue"),
    "upgrade to h2c": with_length(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"
    ),
    "upgrade to websocket": with_length(b"Connection: Upgrade", b"Upgrade: websocket"),
    "HTTP/2's first words": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "line ends in the target": get(b"/livez%0d%0aHost:%20x%0d%0a%0d%0aGET%20/smuggled%20HTTP/1.1"),
    "spaces in the target": get(b"/livez HTTP/1.1%0d%0a /smuggled"),
    "bare CR in a header": get(b"/livez", b"A: b\rGET /smuggled HTTP/1.1\rHost: x\r"),
    "NUL in a header": get(b"/livez", b"A: b\x00c"),
    "two hosts": get(b"/livez", b"Host: y"),
    "absolute URI of another host": get(b"http://evil.example/livez"),
    "absolute URI with a user": get(b"http://a@b/livez"),
    "absolute URI in https": get(b"https://x:1/livez"),
    "target of a query": get(b"?a"),
    "asterisk": get(b"*").replace(b"GET", b"OPTIONS", 1),
    "fragment": get(b"/livez#/smuggled"),
    "HTTP/0.9": b"GET /livez\r\n",
    "HTTP/0.9 by name": get(b"/livez", version=b"HTTP/0.9"),
    "HTTP/1.9": get(b"/livez", version=b"HTTP/1.9"),
    "HTTP/01.1": get(b"/livez", version=b"HTTP/01.1"),
    "line ended by LF": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "blank lines first": b"\r\n\r\n" + get(b"/livez"),
    "method override": with_length(b"X-HTTP-Method-Override: GET"),
    "ids by Connection": get(b"/livez", b"Connection: X-Request-Id, X-Forwarded-For"),
}


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(weights)}) as server:
        yield server


@pytest.fixture(scope="module")
def front(backend: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with nginx(tmp_path_factory.mktemp("nginx"), [backend.port], UNLIMITED) as edge:
        yield edge


@pytest.fixture(scope="module")
def said(front: Edge) -> dict[str, bytes]:
    """Return all that each attack was answered, and check that the next client got its own."""

    def attack(number: int, request: bytes) -> bytes:
        answer = _heard(front, request)
        for turn in range(3):
            own = f"next-{number}-{turn}"
            assert (
                front.door.send("GET", "/livez", headers={"X-Request-Id": own}).headers[
                    "x-request-id"
                ]
                == own
            )
        return answer

    with ThreadPoolExecutor(16) as clients:
        return dict(
            zip(ATTACKS, clients.map(attack, range(len(ATTACKS)), ATTACKS.values()), strict=True)
        )


def _heard(front: Edge, request: bytes) -> bytes:
    answer = b""
    with front.door.connect() as sock:
        sock.sendall(request)
        sock.settimeout(SILENCE_S)
        try:
            while block := sock.recv(65536):
                answer += block
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


@pytest.mark.parametrize("name", ATTACKS)
def test_it_has_one_answer_at_most(said: dict[str, bytes], name: str) -> None:
    statuses = STATUS_LINE.findall(said[name])
    assert len(statuses) <= 1, said[name]
    assert b"<html" not in said[name]
    assert statuses or b'"live"' in said[name] or not said[name], said[name]


def test_no_hidden_request_reached_the_service(said: dict[str, bytes], backend: Server) -> None:
    assert len(said) >= 50
    assert paths_seen(backend) >= {"/nothing"}
    assert "/smuggled" not in paths_seen(backend)


def paths_seen(backend: Server) -> set[str]:
    return {line["path"] for line in backend.lines() if "path" in line}


def test_pipelined_requests_get_their_own_answers_in_order(front: Edge) -> None:
    requests = b"".join(get(b"/nothing", b"X-Request-Id: pipe-%d" % n) for n in range(5))
    answers = front.door.exchange(requests, method="GET", least=5)
    assert [answer.headers["x-request-id"] for answer in answers] == [f"pipe-{n}" for n in range(5)]


def test_a_hidden_request_would_have_been_seen(front: Edge, backend: Server) -> None:
    """Sent openly, one leaves the trace that is looked for above."""
    front.door.exchange(HIDDEN.replace(b"/smuggled", b"/smuggled-openly"), method="GET")
    assert "/smuggled-openly" in paths_seen(backend)
