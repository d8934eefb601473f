"""Remove backgrounds on a running service, over HTTP."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from bgremove.batch.records import UNREACHABLE, Record, Result
from bgremove.datatypes import Box
from bgremove.errors import ErrorCode
from bgremove.headers import Header
from bgremove.options import Options, fields_of
from bgremove.settings import MOST_UPLOAD_BYTES

PATH = "/v1/remove-bg/universal"
TIMEOUT = urllib3.Timeout(connect=5, read=90)  # a service's longest timeout is 45 s
FULL = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
BROKEN = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
TRIES_OF_BROKEN = 3  # a crashed worker restarts; a picture that crashes it does so again
# Delay after consecutive failures: 0, 1, 2, 4 ... seconds plus up to half a second.
BACKOFF = Retry(
    total=None, backoff_factor=0.5, backoff_jitter=0.5, backoff_max=30, retry_after_max=3600
)
BAD_ANSWER = "BAD_ANSWER"  # our own code: the response is from a proxy or another server
logger = logging.getLogger(__name__)


class RemoteRemover:
    """Send pictures to a service. Safe to use from several threads."""

    max_bytes = MOST_UPLOAD_BYTES

    def __init__(
        self,
        url: str,
        options: Options,
        *,
        key: str | None,
        retry_for_s: float,
        at_once: int,
        stop: threading.Event,
    ) -> None:
        self._url = url.rstrip("/") + PATH
        self._options = options
        self._retry_for_s = retry_for_s
        self._stop = stop
        self._answers = True  # whether the last connection worked, for one warning each time
        self._headers = {"Accept": options.content_type} | ({Header.API_KEY: key} if key else {})
        self._pool = urllib3.PoolManager(maxsize=at_once, retries=False)

    def __call__(self, image: bytes) -> Result:
        """Send a picture until the service answers; the record describes a failure.

        A busy service is asked again after its Retry-After, an unreachable one after growing
        delays. Retries are safe: the same picture gets the same answer.

        Raises CancelledError if the batch is stopped while the picture waits.
        """
        until = time.monotonic() + self._retry_for_s
        backoff, broken = BACKOFF, 0
        while True:
            asked_s = None
            try:
                response = self._pool.request(
                    "POST",
                    self._url,
                    fields=self._fields(image),
                    headers=self._headers,
                    timeout=TIMEOUT,
                    redirect=False,
                )
            except HTTPError as error:
                last = f"{self._url}: {_reason(error)}"
                if self._answers:
                    logger.warning("%s; trying again for %g s", last, self._retry_for_s)
                self._answers = False
            else:
                self._answers = True
                broken += response.status in BROKEN
                if response.status not in FULL | BROKEN or broken == TRIES_OF_BROKEN:
                    return self._result(response)
                last = f"{self._url} answered {response.status}"
                asked_s = _retry_after_s(response)
            backoff = backoff.increment()
            left_s = until - time.monotonic()
            pause_s = min(backoff.get_backoff_time(), left_s) if asked_s is None else asked_s
            if left_s <= 0 or pause_s > left_s:
                message = f"the service took no picture within {self._retry_for_s:g} s; {last}"
                return Result(b"", Record(UNREACHABLE, message))
            if self._stop.wait(pause_s):
                raise CancelledError

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _fields(self, image: bytes) -> Mapping[str, str | tuple[str, bytes, str]]:
        return {
            "image": ("image", image, "application/octet-stream"),
            **fields_of(self._options),
        }

    def _result(self, response: BaseHTTPResponse) -> Result:
        if response.status != HTTPStatus.OK:
            return Result(b"", failure_of(response))
        record = record_of(response, self._options.content_type)
        return Result(b"" if record.code else response.data, record)


def _retry_after_s(response: BaseHTTPResponse) -> float | None:
    try:
        return BACKOFF.get_retry_after(response)
    except InvalidHeader:
        return None


def _reason(error: HTTPError) -> str:
    """Return the error message without the object representations that urllib3 puts in front."""
    text = str(getattr(error, "reason", None) or error)
    return text.rpartition("object at 0x")[2].partition(": ")[2] or text


def record_of(response: BaseHTTPResponse, content_type: str) -> Record:
    """Read the headers of a success; a body of another content type makes it a failure."""
    headers = response.headers
    has = headers.get("Content-Type", "no content type")
    if has.partition(";")[0].strip() != content_type:
        return Record(BAD_ANSWER, f"the service answered {has}, not {content_type}")
    try:
        confidence = headers.get(Header.CONFIDENCE)
        return Record(
            model=headers.get(Header.MODEL),
            confidence=None if confidence is None else float(confidence),
            box=_box(headers),
            warnings=_warnings(headers),
        )
    except ValueError as error:
        return Record(BAD_ANSWER, f"the service's headers are not bgremove's: {error}")


def failure_of(response: BaseHTTPResponse) -> Record:
    """Read the envelope of an error; a response without an envelope is described by its status."""
    headers = response.headers
    try:
        error = json.loads(response.data)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, TypeError, KeyError):
        code, message = f"HTTP_{response.status}", "the answer is not a bgremove service's"
    if response.status == HTTPStatus.UNAUTHORIZED:
        code = ErrorCode.UNAUTHORIZED
    return Record(code, message, headers.get(Header.MODEL), warnings=_warnings(headers))


def _warnings(headers: Mapping[str, str]) -> tuple[str, ...]:
    words = (word.strip() for word in headers.get(Header.WARNINGS, "").split(","))
    return tuple(word for word in words if word)


def _box(headers: Mapping[str, str]) -> Box | None:
    edges = [headers.get(f"X-Foreground-{edge}") for edge in ("Top", "Left", "Width", "Height")]
    return None if None in edges else Box(*(int(edge) for edge in edges if edge is not None))
