"""A small web server whose connections break when they are told to."""

from __future__ import annotations

import http.server
import threading
from types import TracebackType
from typing import Any


class FileServer(http.server.ThreadingHTTPServer):
    """Serves ``files`` by path, and remembers what it was asked for."""

    daemon_threads = False  # `server_close` waits for them, so that none outlives its test

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []  # path and Range
        self.logins: list[str | None] = []  # the Authorization header of each request
        self.takes_ranges = True
        self.breaks_after: int | None = None  # bytes of the next body; what follows is whole
        self.chunked = False
        self.gate = threading.Event()  # closed, a body stops after its first byte
        self.gate.set()
        self.arrived = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def url(self, path: str) -> str:
        """Return the address of a file."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, *_: Any) -> None:
        """Say nothing about clients that hang up."""

    def __enter__(self) -> FileServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.gate.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.requests.append((self.path, asked))
        self.server.logins.append(self.headers.get("Authorization"))
        self.close_connection = True
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        if not self.server.takes_ranges or not asked:
            start = 0
        elif start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if asked and self.server.takes_ranges else 200)
        self._send(data[start:])

    def _send(self, body: bytes) -> None:
        chunked = self.server.chunked
        name, value = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", len(body))
        self.send_header(name, str(value))
        self.end_headers()
        limit, self.server.breaks_after = self.server.breaks_after, None
        framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        sent = framed[:limit]
        self.wfile.write(sent[:1])
        self.wfile.flush()
        self.server.arrived.set()
        self.server.gate.wait(120)
        self.wfile.write(sent[1:])

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""
