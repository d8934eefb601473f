"""Compare the answers in `make bench` with those of bgremove's float32 model, picture by picture.

The comparison shows whether a faster server gives a different cut-out. Quality is measured only on
pictures with known mattes (`make eval`). This module needs NumPy, so it runs in its own process.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Alpha = NDArray[np.float32]

REFERENCE = "bgremove float32"


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of a server's matte with the reference; both figures are in [0, 1]."""

    target: str
    picture: str
    mean_difference: float
    iou: float


def alpha_of(png: bytes) -> Alpha:
    """Return the alpha of an RGBA PNG, float32 (H, W) in [0, 1]."""
    import cv2
    import numpy as np

    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3 or decoded.shape[2] != 4:
        raise ValueError("not a PNG with alpha")
    return np.asarray(decoded[..., 3] / np.float32(255), np.float32)


def agreement(target: str, picture: str, alpha: Alpha, reference: Alpha) -> Agreement:
    """Compare two mattes of one picture: mean absolute difference, and the overlap above 0.5."""
    if alpha.shape != reference.shape:
        raise ValueError(f"{target}, {picture}: {alpha.shape}, not {reference.shape}")
    ours, theirs = alpha > 0.5, reference > 0.5
    union = int((ours | theirs).sum())
    iou = int((ours & theirs).sum()) / union if union else 1.0
    return Agreement(target, picture, float(abs(alpha - reference).mean()), iou)


def main() -> None:
    """Compare FOLDER/SERVER/PICTURE.png and print the results as JSON."""
    folder = Path(sys.argv[1])
    found = []
    for path in sorted(folder.glob("*/*.png")):
        reference = folder / REFERENCE / path.name
        if path.parent.name != REFERENCE and reference.exists():
            alphas = alpha_of(path.read_bytes()), alpha_of(reference.read_bytes())
            found.append(agreement(path.parent.name, path.stem, *alphas))
    print(json.dumps([asdict(one) for one in found]))


if __name__ == "__main__":
    main()
