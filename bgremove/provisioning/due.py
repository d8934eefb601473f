"""Weights that are due: missing, and without a failed download within the last day."""

from __future__ import annotations

import time
from pathlib import Path

from bgremove.inference.models import Manifest, Weights

REST_S = 24 * 3600


def due_weights(manifest: Manifest, folder: Path) -> list[Weights]:
    """Return the files to fetch or build; a stand-in counts only through the model it replaces."""
    covered = {one.stands_in_for for one in manifest.models if is_there(one, folder)}
    due: list[Weights] = []
    for model in manifest.models:
        forms = [model] if model.quantised is None else [model, model.quantised]
        is_done = model.name in covered or all(is_there(form, folder) for form in forms)
        is_needed = model.name == manifest.fallback and not is_there(model, folder)
        if not (is_done or model.stands_in_for) and (is_needed or not is_resting(model, folder)):
            due.append(model)
    due += [
        prior
        for prior in manifest.priors
        if not (is_there(prior, folder) or is_resting(prior, folder))
    ]
    return due


def is_there(model: Weights, folder: Path) -> bool:
    """Return whether the file of ``model`` is in the folder; loading checks its hash."""
    return (folder / model.file).is_file()


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
