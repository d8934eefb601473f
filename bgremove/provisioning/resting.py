"""Remember which optional weights were out of reach, so that sources are not asked all day."""

from __future__ import annotations

import time
from pathlib import Path

from bgremove.inference.manifest import Weights

REST_S = 24 * 3600


def is_resting(model: Weights, folder: Path) -> bool:
    """Tell whether getting ``model`` failed within the last day."""
    try:
        age_s = time.time() - _note(model, folder).stat().st_mtime
    except OSError:
        return False
    return 0 <= age_s < REST_S


def note_failure(model: Weights, folder: Path) -> None:
    """Remember that getting ``model`` has just failed."""
    _note(model, folder).touch()


def forget_failure(model: Weights, folder: Path) -> None:
    """Forget an earlier failure."""
    _note(model, folder).unlink(missing_ok=True)


def _note(model: Weights, folder: Path) -> Path:
    return folder / f".{model.name}.failed"
