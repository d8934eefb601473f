"""Write downloaded weights, with the size of the manifest as the limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from bgremove.errors import WeightsError
from bgremove.inference.models import Weights

BLOCK = 1024 * 1024  # bytes copied between two steps of the progress bar


def write_weights(
    blocks: Iterable[bytes],
    model: Weights,
    target: Path,
    start: int = 0,
    advance: Callable[[int], None] = lambda count: None,
) -> int:
    """Write received bytes up to the manifest's size; return the number of bytes received.

    ``advance`` is called with the length of each block. Raises WeightsError if more bytes arrive.
    """
    count = 0
    with target.open("r+b" if start else "wb") as file:
        if start:
            file.truncate(start)
            file.seek(start)
        for block in blocks:
            count += len(block)
            if start + count > model.bytes:
                target.unlink()
                raise WeightsError(
                    f"{model.file} has more than the {model.bytes:,} bytes of the manifest"
                )
            file.write(block)
            advance(len(block))
    return count


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file in blocks."""
    while block := file.read(BLOCK):
        yield block
