"""A compromised decoder in place of the real one; the variable HOSTILE selects its behaviour."""

from __future__ import annotations

import json
import mmap
import os
import socket
import sys
from typing import Any

BLACK = b"\0"
PLAIN = {"has_alpha": False, "carries_profile": False, "warnings": []}
kept: list[Any] = []  # memory kept allocated


def answers(how: str, number: int, pixels: int) -> list[bytes]:
    """Return the messages that answer a request."""
    plain = PLAIN | {"number": number}
    if how == "mapped":
        kept.append(mmap.mmap(pixels, 0))
    if how == "late":
        for file in kept:
            try:
                os.pwrite(file, b"\xff" * 9, 0)
            except PermissionError:
                sys.exit("sealed")
        kept.append(os.dup(pixels))
    changed = {
        "no-json": b"{",
        "deep": b"[" * 60_000,
        "list": b"[]",
        "other-number": json.dumps(plain | {"number": number + 1}).encode(),
        "text-number": json.dumps(plain | {"number": str(number)}).encode(),
        "number-flag": json.dumps(plain | {"has_alpha": 1}).encode(),
        "missing": json.dumps(PLAIN).encode(),
        "surplus": json.dumps(plain | {"more": 1}).encode(),
        "warning": json.dumps(plain | {"warnings": ["a\r\nSet-Cookie: b"]}).encode(),
        "refusal": json.dumps(
            {"number": number, "kind": "picture", "message": "a\nb", "private": ""}
        ).encode(),
        "long": b" " * 100_000,
    }
    messages = [changed.get(how, json.dumps(plain).encode())]
    return messages * 2 if how == "twice" else messages


def main() -> None:
    """Answer requests with black pixels, or as HOSTILE selects."""
    channel = socket.socket(fileno=0)
    while True:
        message, files, _, _ = socket.recv_fds(channel, 100_000, 2)
        if not message:
            return
        picture, pixels = files
        os.pwrite(pixels, BLACK * os.fstat(pixels).st_size, 0)
        for answer in answers(os.environ["HOSTILE"], json.loads(message)["number"], pixels):
            channel.send(answer)
        os.close(picture)
        os.close(pixels)


if __name__ == "__main__":
    main()
