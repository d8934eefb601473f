"""Forms built byte by byte, a common answer type for all clients, and a real gunicorn."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
PATH = "/v1/remove-bg/universal"
BOUNDARY = "XyZ"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
START_S, STOP_S, ANSWER_S = 60.0, 40.0, 60.0  # timeouts, far above the measured times
CREATED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LEAK = re.compile(
    rf"{re.escape(str(ROOT))}|"
    r"Traceback|File \"|/usr/|/home/|site-packages|\.py\b|<html|werkzeug|marshmallow|numpy"
    r"|cv2|opencv|onnx|gunicorn|flask|State\.",
    re.IGNORECASE,
)


def part(headers: bytes, content: bytes = b"", *, boundary: str = BOUNDARY) -> bytes:
    """Return one part with the given headers."""
    return b"--" + boundary.encode() + b"\r\n" + headers + b"\r\n\r\n" + content + b"\r\n"


def text(name: str, value: bytes | str, more: str = "") -> bytes:
    """Return a text field; ``more`` is appended to its headers."""
    content = value.encode() if isinstance(value, str) else value
    return part(f'Content-Disposition: form-data; name="{name}"{more}'.encode(), content)


def file(name: str, content: bytes, more: str = "", *, filename: str = 'filename="a.png"') -> bytes:
    """Return a file field; ``more`` is appended to its headers."""
    head = f'Content-Disposition: form-data; name="{name}"; {filename}{more}'
    return part(head.encode(), content)


def form(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    """Join parts and close the form."""
    return b"".join(parts) + b"--" + boundary.encode() + b"--\r\n"


@dataclass(frozen=True)
class Answer:
    """A response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body, which must be of type JSON."""
        assert self.headers["content-type"] == "application/json", self
        return json.loads(self.body)


class Door(Protocol):
    """A client of the service: Flask's test client, or a socket."""

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer: ...


def post(door: Door, body: bytes, content_type: str | None = FORM_TYPE, **headers: str) -> Answer:
    """Post a form; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        named["Content-Type"] = content_type
    return door.send("POST", PATH, body, named)


def error_of(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is exactly an error envelope; return its ``error``."""
    assert answer.status == status, answer
    envelope = answer.json()
    assert set(envelope) == {"meta", "data", "warnings", "error"}
    assert envelope["data"] is None
    assert envelope["warnings"] == []
    check_meta(answer, envelope["meta"])
    error: dict[str, Any] = envelope["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == code, error
    assert isinstance(error["message"], str)
    assert error["message"]
    for detail in error["details"]:
        assert set(detail) == {"field", "issue"}
        assert all(isinstance(value, str) and value for value in detail.values())
    assert not LEAK.search(answer.body.decode()), answer.body
    assert answer.headers["cache-control"] == "no-store"
    return error


def check_meta(answer: Answer, meta: Mapping[str, Any]) -> None:
    """Check the ``meta`` of an envelope against its answer's headers and the clock."""
    assert set(meta) == {"requestId", "createdAt", "processingMs"}
    assert meta["requestId"] == answer.headers["x-request-id"]
    assert CREATED_AT.fullmatch(meta["createdAt"])
    age = datetime.now(UTC) - datetime.fromisoformat(meta["createdAt"])
    assert abs(age.total_seconds()) < 60
    assert type(meta["processingMs"]) is int
    assert meta["processingMs"] >= 0


class FlaskDoor:
    """Flask's test client."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        client = self.app.test_client()
        named = dict(headers or {})
        if body:
            named.setdefault("Content-Length", str(len(body)))
        stream = io.BytesIO(body)  # `data` would encode an empty form again
        with client.open(path, method=method, input_stream=stream, headers=named) as response:
            named = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, named, response.get_data())


class WireDoor:
    """A plain HTTP client on loopback, with one connection per request."""

    def __init__(self, port: int) -> None:
        self.port = port

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        with contextlib.closing(connection):
            connection.request(method, path, body or None, dict(headers or {}))
            return _read(connection.getresponse())

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_S)

    def exchange(
        self, *data: bytes, half_close: bool = False, method: str = "POST"
    ) -> list[Answer]:
        """Send raw bytes, then read all answers until the server closes or sends nothing more.

        ``method`` must be HEAD for a HEAD request, because its answers have no body.
        """
        with self.connect() as sock:
            for piece in data:
                sock.sendall(piece)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            return _answers(sock, method)


def _answers(sock: socket.socket, method: str) -> list[Answer]:
    answers: list[Answer] = []
    reader = sock.makefile("rb")
    with reader:
        while len(answers) < 10 and reader.peek(1):
            response = http.client.HTTPResponse(_Reading(reader), method=method)  # type: ignore[arg-type]
            response.begin()
            answers.append(_read(response))
            closes = answers[-1].headers.get("connection") == "close"
            if closes:
                assert reader.read() == b""
                break
            sock.settimeout(1.0)  # a second one would follow at once
            try:
                reader.peek(1)
            except TimeoutError:
                break
    return answers


class _Reading:
    """A socket for http.client whose reader stays open after an answer."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def makefile(self, _: str) -> Any:
        return _Unclosed(self._reader)


class _Unclosed:
    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def close(self) -> None:
        """Keep the reader open for the next answer."""

    def flush(self) -> None:
        """Do nothing: nothing is written."""


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


@dataclass(frozen=True)
class Server:
    """A gunicorn with the project's own configuration."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    cpu_s: float  # processor time of all its processes until ready

    @property
    def door(self) -> WireDoor:
        """A client of this server."""
        return WireDoor(self.port)

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of its log, each of which must be JSON."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def stop(self) -> int:
        """Stop it by its pid, cleanly if possible; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_S)
            raise


def free_port() -> int:
    """Return a free loopback port."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return distinct free ports; separate calls of `free_port` may return the same port twice."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(probe.getsockname()[1]) for probe in probes]


@contextlib.contextmanager
def gunicorn(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    wait_for: str = "/readyz",
    application: str = "wsgi:app",
    python: Path | str = sys.executable,
    started_in: Path = ROOT,
    config: str = "deploy/gunicorn.conf.py",
    port: int | None = None,
) -> Iterator[Server]:
    """Run gunicorn on loopback until the block ends; its log is in ``folder``."""
    port, log = port or free_port(), folder / "gunicorn.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BGREMOVE_")}
    env = inherited | {"HOST": "127.0.0.1", "PORT": str(port)} | dict(settings or {})
    command = [str(python), "-m", "gunicorn", "-c", config, application]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=started_in, env=env, stdout=output, stderr=output)
    server = Server(process, port, log, 0.0)
    try:
        _wait_until_it_answers(server, wait_for)
        yield Server(process, port, log, _cpu_s(process.pid))
    finally:
        server.stop()


def _cpu_s(pid: int) -> float:
    """Return the processor seconds of a process and its children, from Linux's /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_cpu_s(int(child)) for child in children)


def _wait_until_it_answers(server: Server, path: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert server.process.poll() is None, server.log.read_text("utf-8")
        with contextlib.suppress(OSError, http.client.HTTPException):
            if server.door.send("GET", path).status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"{path} did not answer 200: {server.log.read_text('utf-8')}")
