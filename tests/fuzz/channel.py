"""Answers of a decoder against the worker that reads them.

Each is a picture of the right size or an error of a decoder, and never waits for the deadline.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from PIL import Image

from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError, ImageError, UpstreamError
from bgremove.imaging.decoder import process as decoder_process
from bgremove.imaging.decoder.messages import (
    MAX_PRIVATE,
    MAX_SENTENCE,
    WARNING,
    NonsenseError,
    answer_in,
)
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.imaging.probe import probe
from tests.support import pictures as made
from tests.support.echoing_decoder import NUMBER

DEADLINE_S = 60.0
SENT_OF = 20  # nonsense ends the child, so only a part of it is sent by one


def seeds() -> list[bytes]:
    """Return answers of a decoder; `NUMBER` stands for the number of the request."""
    decoded = {"number": 0, "has_alpha": False, "carries_profile": False, "warnings": []}
    refused = {"number": 0, "kind": "picture", "message": "It is damaged", "private": ""}
    answers = [
        decoded,
        decoded | {"has_alpha": True, "warnings": ["truncated", "animation-first-frame"]},
        refused,
        refused | {"kind": "upstream", "private": "a" * 300},
        refused | {"kind": "fault"},
    ]
    return [json.dumps(one).encode().replace(b": 0,", b": " + NUMBER + b",") for one in answers]


@contextmanager
def workers() -> Iterator[Callable[[bytes], str]]:
    """Yield the function that has a real child process give an answer."""
    limits = made.limits()
    picture = made.saved(Image.fromarray(made.scene(40, 30)), "PNG")
    header = probe(picture, limits)
    child = mock.patch.object(decoder_process, "CHILD", "tests.support.echoing_decoder")
    with child, DecoderPool(limits, size=1) as pool:

        def tried(data: bytes) -> str:
            try:
                answer_in(data.replace(NUMBER, b"7"), 7)
            except NonsenseError:
                if zlib.crc32(data) % SENT_OF:
                    return "answer is nonsense"
            try:
                image = pool.decode(data, header, Deadline.after(DEADLINE_S))
            except DeadlineExceededError as error:
                return f"finding: {error.message}"
            except (ImageError, UpstreamError) as error:
                assert 0 < len(error.message) <= MAX_SENTENCE
                assert error.message.isprintable()
                assert len(error.private or "") <= MAX_PRIVATE + 100
                return f"answer is an {type(error).__name__}"
            assert image.size == header.size
            assert all(WARNING.fullmatch(word) for word in image.warnings)
            return "answer taken"

        yield tried
