"""Records of failed downloads of optional weights, to limit retries to one a day."""

from __future__ import annotations

import time
from pathlib import Path

from bgremove.inference.models import Weights

REST_S = 24 * 3600


def is_resting(model: Weights, folder: Path) -> bool:
    """Return whether a download of ``model`` failed within the last day."""
    try:
        age_s = time.time() - _note(model, folder).stat().st_mtime
    except OSError:
        return False
    return 0 <= age_s < REST_S


def note_failure(model: Weights, folder: Path) -> None:
    """Record a failed download of ``model``."""
    _note(model, folder).touch()


def forget_failure(model: Weights, folder: Path) -> None:
    """Delete the record of an earlier failure."""
    _note(model, folder).unlink(missing_ok=True)


def _note(model: Weights, folder: Path) -> Path:
    return folder / f".{model.name}.failed"
