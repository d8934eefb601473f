"""The clients of `make bench`: closed loops over real HTTP, each with a keep-alive connection."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

from bench.stats import server_timing
from harness import forms
from harness.http import HOST

HEADERS = {"Content-Type": forms.FORM_TYPE, "Accept": "image/png"}
REQUEST_TIMEOUT_S = 180.0
FAULT_PAUSE_S = 0.2  # limits the requests to a server that is down
REFUSAL_PAUSE_S = 0.05  # limits the requests to a server that is full
CHUNK = 1 << 20  # bytes of an answer read at once
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address and form fields of a server's upload endpoint."""

    port: int
    path: str
    file_field: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture, prepared for an endpoint."""

    name: str
    body: bytes


@dataclass(slots=True)
class Tally:
    """The results of the clients; safe to update from several threads."""

    latencies_ms: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    stages_ms: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def success(self, name: str, ms: float, timing: str, model: str) -> None:
        """Count a picture that came back."""
        with self._lock:
            self.latencies_ms.setdefault(name, []).append(ms)
            self.stages_ms.update(server_timing(timing))
            self.models[model] += 1

    def failure(self, why: str) -> None:
        """Count a request that failed."""
        with self._lock:
            self.failures[why] += 1


class Feed:
    """Yields uploads in whole cycles, so that every round has the same mix.

    It yields at least ``least`` and at most ``most`` uploads, each rounded up to whole cycles.
    Between the two it ends with the cycle in which ``seconds`` have passed.
    """

    def __init__(self, uploads: Sequence[Upload], least: int, most: int, seconds: float) -> None:
        self._uploads = uploads
        self._least, self._most, self._seconds = least, most, seconds
        self._given = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Upload]:
        while True:
            with self._lock:
                if self._given % len(self._uploads) == 0 and self._over():
                    return
                upload = self._uploads[self._given % len(self._uploads)]
                self._given += 1
            yield upload

    def _over(self) -> bool:
        passed = time.monotonic() - self._started >= self._seconds
        return self._given >= self._most or (passed and self._given >= self._least)


def form(endpoint: Endpoint, name: str, picture: bytes) -> Upload:
    """Make the multipart body once, so that sending only costs a copy."""
    fields = [forms.text(key, value) for key, value in endpoint.fields]
    kind = "\r\nContent-Type: application/octet-stream"
    fields.append(forms.file(endpoint.file_field, picture, kind, filename='filename="picture"'))
    return Upload(name, forms.form(*fields))


def run_load(
    endpoint: Endpoint,
    uploads: Sequence[Upload],
    clients: int,
    least: int,
    most: int,
    seconds: float,
) -> Tally:
    """Keep ``clients`` requests in progress until the feed ends, and wait for the last answer."""
    tally = Tally()
    started = time.monotonic()
    feed = Feed(uploads, least, most, seconds)
    threads = [
        threading.Thread(target=_client, args=(endpoint, feed, tally), daemon=True)
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.seconds = time.monotonic() - started
    return tally


def fetch(endpoint: Endpoint, upload: Upload) -> bytes:
    """Return the body of an answer; empty where it is not a picture."""
    connection = HTTPConnection(HOST, endpoint.port, timeout=REQUEST_TIMEOUT_S)
    try:
        connection.request("POST", endpoint.path, upload.body, HEADERS)
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException):
        return b""
    finally:
        connection.close()
    return body if response.status == 200 and body.startswith(SIGNATURE) else b""


def _client(endpoint: Endpoint, feed: Feed, tally: Tally) -> None:
    connection = HTTPConnection(HOST, endpoint.port, timeout=REQUEST_TIMEOUT_S)
    try:
        for upload in feed:
            try:
                _post(connection, endpoint, upload, tally)
            except (OSError, HTTPException) as fault:
                connection.close()  # the next request opens it again
                tally.failure(type(fault).__name__)
                time.sleep(FAULT_PAUSE_S)
    finally:
        connection.close()


def _post(connection: HTTPConnection, endpoint: Endpoint, upload: Upload, tally: Tally) -> None:
    started = time.perf_counter()
    connection.request("POST", endpoint.path, upload.body, HEADERS)
    with connection.getresponse() as response:
        first = response.read(CHUNK)
        while response.read(CHUNK):
            pass
        ms = (time.perf_counter() - started) * 1000
    if response.status != 200:
        tally.failure(str(response.status))
        time.sleep(REFUSAL_PAUSE_S)
    elif not first.startswith(SIGNATURE):
        tally.failure("not a PNG")
    else:
        timing = response.getheader("Server-Timing", "")
        tally.success(upload.name, ms, timing, response.getheader("X-Model", ""))
