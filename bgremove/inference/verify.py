"""Verification of weights: files by size and SHA-256, networks by their answer to a known picture.

The answer detects damaged weights that still load (and give NaN), and accepts int8 builds by other
tools than the pinned ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, DecodedImage
from bgremove.inference.models import GRID, Model, Weights


def fault_of(model: Weights, path: Path) -> str | None:
    """Describe the fault of the file at ``path``; None if it matches the manifest."""
    try:
        size = path.stat().st_size
        if size != model.bytes:
            return f"{path.name} has {size} bytes, not the {model.bytes} of the manifest"
        digest, _ = state_of(path)
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    if digest != model.sha256:
        return f"{path.name} has SHA-256 {digest}, not the {model.sha256} of the manifest"
    return None


def state_of(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, in hexadecimal, and its size in bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def as_built(model: Model, folder: Path) -> Model:
    """Return an int8 model with the hash and size of its accepted build in ``folder``.

    A build by tools of other than the pinned versions has other bytes. It is accepted by its answer
    to the known picture, and a note beside it records its hash, its size and its inputs. A note on
    other inputs than the manifest's is not valid: a build of an older manifest is not used.
    """
    try:
        digest, size, inputs = _note(model, folder).read_text(encoding="ascii").split()
        noted = replace(model, sha256=digest, bytes=int(size))
    except (OSError, ValueError):  # no note, or an incomplete one: the manifest decides
        return model
    return noted if inputs == model.built_from else model


def note_build(model: Model, folder: Path, path: Path) -> None:
    """Record the file at ``path`` as an accepted build of ``model``."""
    digest, size = state_of(path)
    _note(model, folder).write_text(f"{digest} {size} {model.built_from}\n", encoding="ascii")


def forget_build(model: Model, folder: Path) -> None:
    """Remove the note on the build of ``model``, so that only the manifest's hash is valid."""
    _note(model, folder).unlink(missing_ok=True)


def _note(model: Model, folder: Path) -> Path:
    return folder / f"{model.file}.sha256"


def known_picture() -> DecodedImage:
    """Draw a striped ball on a blue gradient: uint8 (360, 480, 3), with integer arithmetic only."""
    y, x = np.mgrid[0:360, 0:480]
    bgr = np.stack([140 + y // 6, 120 + x // 8, 100 + (x + y) // 12], axis=2)
    distance = (x - 230) ** 2 + (y - 190) ** 2
    stripes = np.where((x + 2 * y) // 24 % 2 == 0, 40, 0)
    shade = 200 - distance // 160
    ball = np.stack([20 + stripes, shade // 3 + stripes, shade], axis=2)
    inside = (distance < 110**2)[..., np.newaxis]
    return DecodedImage(np.where(inside, ball, bgr).astype(np.uint8))


def answer_of(saliency: ArrayF32) -> ArrayF32:
    """Average a map, float32 (S, S), over GRID × GRID cells; return float32 (GRID * GRID,)."""
    cells = cv2.resize(saliency, (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(cells, dtype=np.float32).reshape(-1)
