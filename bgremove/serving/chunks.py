"""Limit the number of very small chunks in chunked bodies.

gunicorn parses a body chunk by chunk in Python. In chunks of one byte, 10 MiB keep the interpreter
busy for a minute; 26 such bodies at once delayed health checks by 1.9 s.
"""

from __future__ import annotations

from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import InvalidChunkSize
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader

FREE_CHUNKS = 1000  # chunks of any size that every body may have
LEAST_BYTES = 256  # minimum average size of further chunks; clients send 4 KiB and more


class BoundedChunks(ChunkedReader):
    """gunicorn's chunk reader. Raises InvalidChunkSize if a body has too many small chunks."""

    def __init__(self, req: Request, unreader: Unreader) -> None:
        super().__init__(req, unreader)
        self._chunks = self._bytes = 0

    def parse_chunk_size(
        self, unreader: Unreader, data: bytes | None = None
    ) -> tuple[int, bytes | None]:
        """Parse the size line of a chunk and count the chunk."""
        size, rest = super().parse_chunk_size(unreader, data)
        self._chunks += 1
        self._bytes += size
        if self._chunks > FREE_CHUNKS + self._bytes // LEAST_BYTES:
            raise InvalidChunkSize(b"chunks of less than %d bytes" % LEAST_BYTES)
        return size, rest


def bound_chunks(request: Request) -> None:
    """Limit the chunks of a request whose body has not been read yet."""
    if request.body is not None and type(request.body.reader) is ChunkedReader:
        request.body = Body(BoundedChunks(request, request.unreader))
