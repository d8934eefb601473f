"""Remove backgrounds on running services, over HTTP."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from bgremove.batch.answers import failure_of, record_of
from bgremove.batch.records import UNREACHABLE, Record, Result
from bgremove.batch.servers import NoServerError, Servers
from bgremove.headers import Header
from bgremove.options import Options, fields_of

PATH = "/v1/remove-bg/universal"
MAX_BYTES = 64 * 1024 * 1024  # the maximum of BGREMOVE_MAX_UPLOAD_BYTES
TIMEOUT = urllib3.Timeout(connect=5, read=90)  # a service's longest timeout is 45 s
FULL = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
BROKEN = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
logger = logging.getLogger(__name__)
TRIES_OF_BROKEN = 3  # a crashed worker restarts; a picture that crashes it does so again


class RemoteRemover:
    """Send pictures to services. Safe to use from several threads."""

    max_bytes = MAX_BYTES

    def __init__(
        self,
        urls: Sequence[str],
        options: Options,
        *,
        key: str | None,
        retry_for_s: float,
        at_once: int,
        stop: threading.Event,
    ) -> None:
        self._options = options
        self._retry_for_s = retry_for_s
        self._stop = stop
        self._servers = Servers([url.rstrip("/") + PATH for url in urls], stop)
        self._headers = {"Accept": options.content_type} | ({Header.API_KEY: key} if key else {})
        self._pool = urllib3.PoolManager(num_pools=len(urls), maxsize=at_once, retries=False)

    def __call__(self, image: bytes) -> Result:
        """Send a picture until a service answers; the record describes a failure.

        A busy service gets no requests for the time of its Retry-After; an unreachable one is
        retried after growing delays. Retries are safe: the same picture gets the same answer.

        Raises CancelledError if the batch is stopped while the picture waits.
        """
        until = time.monotonic() + self._retry_for_s
        broken = 0
        last = "every service rests after failures of other pictures"
        while True:
            try:
                with self._servers.turn(until) as server:
                    response = self._post(server.url, image)
                    if response.status in FULL:
                        last = f"{server.url} answered {response.status}"
                        self._servers.failed(server, response)
                        continue
                    self._servers.answered(server)
            except NoServerError:
                if self._stop.is_set():
                    raise CancelledError from None
                return Result(b"", self._given_up(last))
            except HTTPError as error:
                last = f"{server.url}: {_reason(error)}"
                if self._servers.failed(server):
                    logger.warning("%s; left alone for a while, and tried again", last)
                continue
            broken += response.status in BROKEN
            if response.status not in BROKEN or broken == TRIES_OF_BROKEN:
                return self._result(response)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _post(self, url: str, image: bytes) -> BaseHTTPResponse:
        fields: Mapping[str, str | tuple[str, bytes, str]] = {
            "image": ("image", image, "application/octet-stream"),
            **fields_of(self._options),
        }
        return self._pool.request(
            "POST", url, fields=fields, headers=self._headers, timeout=TIMEOUT, redirect=False
        )

    def _given_up(self, last: str) -> Record:
        return Record(UNREACHABLE, f"no service takes it within {self._retry_for_s:g} s; {last}")

    def _result(self, response: BaseHTTPResponse) -> Result:
        if response.status != HTTPStatus.OK:
            return Result(b"", failure_of(response))
        record = record_of(response, self._options.content_type)
        return Result(b"" if record.code else response.data, record)


def _reason(error: HTTPError) -> str:
    """Return the error message without the object representations that urllib3 puts in front."""
    text = str(getattr(error, "reason", None) or error)
    return text.rpartition("object at 0x")[2].partition(": ")[2] or text
