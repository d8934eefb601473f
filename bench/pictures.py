"""The pictures of `make bench`, with the same bytes in every run.

Photographs that ship with scikit-image (NASA's astronaut, public domain; cat and coffee, CC0),
scaled to a number of megapixels.

This module runs in its own process, so that the measuring process does not load OpenCV.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ImageU8 = NDArray[np.uint8]

SIZES = (0.2, 0.8, 2, 6, 12, 40)  # megapixels
GROWTH = tuple(("astronaut", size) for size in SIZES)  # one scene, so that only the size changes
MIX = (("chelsea", 0.2), ("coffee", 0.8), ("astronaut", 6))
MAX_BYTES = 9 * 1024 * 1024  # below the server's 10 MiB
GRAIN = 2.0  # standard deviation in levels: a scaled-up picture without grain is too easy to encode
TILE = 1021  # pixels; a prime, so that the grain does not line up with the JPEG blocks
QUALITIES = (92, 88, 84, 80, 75, 70, 60, 50)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A generated picture."""

    name: str
    file: str
    width: int
    height: int
    bytes: int
    sha256: str


def name_of(photograph: str, megapixels: float) -> str:
    """Return a picture's name, such as `coffee-0.8`."""
    return f"{photograph}-{megapixels:g}"


def size_for(width: int, height: int, megapixels: float) -> tuple[int, int]:
    """Return the width and height of the same aspect ratio with ``megapixels``."""
    scale = (megapixels * 1e6 / (width * height)) ** 0.5
    return round(width * scale), round(height * scale)


def grainy(bgr: ImageU8) -> ImageU8:
    """Add reproducible film grain: RandomState's stream never changes."""
    import numpy as np

    grain = np.random.RandomState(4).normal(0, GRAIN, (TILE, TILE))
    tile = np.rint(grain).astype(np.int16)
    height, width = bgr.shape[:2]
    out = np.empty_like(bgr)
    for top in range(0, height, TILE):  # in tiles: 40 megapixels at once would take 1 GB
        for left in range(0, width, TILE):
            part = bgr[top : top + TILE, left : left + TILE]
            noise = tile[: part.shape[0], : part.shape[1], np.newaxis]
            out[top : top + TILE, left : left + TILE] = np.clip(part + noise, 0, 255)
    return out


def jpeg(bgr: ImageU8, max_bytes: int = MAX_BYTES) -> bytes:
    """Encode at the highest listed quality that fits; raise ValueError where none does."""
    import cv2

    for quality in QUALITIES:
        data: Any = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        if data.size <= max_bytes:
            return bytes(data.tobytes())
    raise ValueError(f"no quality brings {bgr.shape} under {max_bytes} bytes")


def render(photograph: str, megapixels: float) -> tuple[bytes, int, int]:
    """Make one picture: its JPEG, width and height."""
    import cv2
    from skimage import data

    bgr = cv2.cvtColor(getattr(data, photograph)(), cv2.COLOR_RGB2BGR)
    width, height = size_for(bgr.shape[1], bgr.shape[0], megapixels)
    how = cv2.INTER_AREA if width < bgr.shape[1] else cv2.INTER_CUBIC
    scaled: Any = cv2.resize(bgr, (width, height), interpolation=how)
    return jpeg(grainy(scaled)), width, height


def main() -> None:
    """Write every picture into a folder and print the list of files as JSON."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for photograph, megapixels in dict.fromkeys((*MIX, *GROWTH)):
        data, width, height = render(photograph, megapixels)
        name = name_of(photograph, megapixels)
        path = folder / f"{name}.jpg"
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        made.append(PictureFile(name, path.name, width, height, len(data), digest))
    print(json.dumps([asdict(one) for one in made]))


if __name__ == "__main__":
    main()
