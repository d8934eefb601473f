"""Pictures on web servers, and standard input and output."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import BinaryIO, cast

from bgremove.batch.stores import Store, read_within

FETCH_TIMEOUT_S = 30.0  # for connecting, and for each read


class PipeStore(Store):
    """Standard input and output."""

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return standard input; raises ImageError above ``max_bytes``."""
        del name
        return read_within(sys.stdin.buffer, max_bytes)

    def write(self, name: str, data: bytes) -> None:
        """Write to standard output."""
        del name
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


class WebStore(Store):
    """Pictures on web servers, read only."""

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the body of a successful answer; raises ImageError above ``max_bytes``."""
        import urllib3

        try:
            with urllib3.PoolManager() as pool:
                answer = pool.request("GET", name, timeout=FETCH_TIMEOUT_S, preload_content=False)
                if answer.status != HTTPStatus.OK:
                    raise OSError(None, f"the server answered {answer.status} {answer.reason}")
                return read_within(cast("BinaryIO", answer), max_bytes)
        except urllib3.exceptions.HTTPError as error:
            reason = str(getattr(error, "reason", None) or error).rpartition(": ")[2]
            raise OSError(None, reason.partition("] ")[2] or reason) from error

    def write(self, name: str, data: bytes) -> None:
        """Raise OSError."""
        del data
        raise OSError(None, f"a web server takes no cut-outs: {name}")
