"""HTTP clients on loopback, with one type of answer for all of them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
PATH = "/v1/remove-bg/universal"
ANSWER_S = 60.0  # timeout of an answer, far above the measured times


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


class Door(ABC):
    """A client of the service: Flask's test client, or a socket."""

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read its answer."""
        return self._sent(method, path, body, dict(headers or {}))

    @abstractmethod
    def _sent(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer: ...


@dataclass(frozen=True)
class WireDoor(Door):
    """An HTTP client with one connection per request; ``address`` is its own loopback address."""

    port: int
    address: str = HOST
    context: ssl.SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def _sent(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=ANSWER_S)
        with contextlib.closing(connection), self.connect() as connection.sock:
            connection.request(method, path, body or None, {**self.headers, **headers})
            return _read(connection.getresponse())

    def connect(self) -> socket.socket:
        """Open a connection, with TLS if there is a context."""
        source = None if self.address == HOST else (self.address, 0)
        sock = socket.create_connection((HOST, self.port), ANSWER_S, source)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as http.client sets it
        if self.context is None:
            return sock
        return self.context.wrap_socket(sock, server_hostname="bgremove.test")

    def exchange(
        self, *data: bytes, half_close: bool = False, method: str = "POST", least: int = 1
    ) -> list[Answer]:
        """Send raw bytes, then read all answers until the server closes or sends nothing more.

        Args:
            data: The bytes, sent one after the other.
            half_close: Close the sending side afterwards.
            method: HEAD for a HEAD request, because its answers have no body.
            least: The number of answers that are waited for; more must follow at once.
        """
        with self.connect() as sock:
            for piece in data:
                sock.sendall(piece)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            return _answers(sock, method, least)


def status_of(port: int, path: str) -> int:
    """Return the status of a GET request, 0 where no server answers."""
    try:
        return WireDoor(port).send("GET", path).status
    except (OSError, http.client.HTTPException):
        return 0


def _answers(sock: socket.socket, method: str, least: int) -> list[Answer]:
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
            if len(answers) < least:
                continue
            sock.settimeout(1.0)  # another one would follow at once
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
