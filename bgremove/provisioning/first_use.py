"""Fetch and build the weights on first use, from the command line or the Python API."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from bgremove.errors import WeightsError
from bgremove.inference.manifest import load_manifest
from bgremove.inference.models import Manifest, Model, Weights
from bgremove.installation import pip_install
from bgremove.provisioning.due import due_weights, is_there
from bgremove.provisioning.progress import megabytes
from bgremove.settings import Settings

PROGRESS = logging.getLogger("bgremove.provisioning.progress")


def ensure_weights(
    settings: Settings,
    *,
    offline: bool = False,
    say: Callable[[str], None] = lambda sentence: print(sentence, file=sys.stderr),
) -> None:
    """Fetch the missing models; return at once if every model is present.

    An optional model whose source does not answer is retried at most once a day.

    Args:
        settings: The settings, with the weights folder and a mirror to try first.
        offline: Fetch nothing.
        say: Called with each message for the user.

    Raises:
        WeightsError: The default model is missing and cannot be fetched.

    """
    folder = settings.weights_dir
    manifest = load_manifest(folder)
    default = manifest.model(manifest.fallback)
    is_served = is_there(default, folder)
    due = due_weights(manifest, folder)
    if not due:
        return
    if offline or (is_served and not os.access(folder, os.W_OK)):
        if not is_served:
            raise WeightsError(f"{default.file} is not in {folder}. {_offline_advice()}")
        return
    if absent := [model for model in due if not is_there(model, folder)]:
        say(_announcement(absent, folder))
    try:
        with _spoken(say):
            missing = _fetch_all()(manifest, folder, settings.weights_mirror, again=False)
    except WeightsError as error:
        if not is_served:
            raise
        say(f"Some models are missing: {error.message}")
        return
    if default.name in missing:
        reason = missing[default.name]
        raise WeightsError(f"{default.name} could not be downloaded: {reason}. {_offline_advice()}")
    for sentence in missing_sentences(manifest, missing):
        say(sentence)
    say("The models are ready.")


def _announcement(absent: list[Weights], folder: Path) -> str:
    """Return the message before a download; optional models may be out of reach."""
    optional = [one for one in absent if isinstance(one, Model) and not one.subjects and one.joins]
    needed = sum(one.bytes for one in absent if one not in optional)
    licences = ", ".join(sorted({one.licence for one in absent}))
    named = ", ".join(f"{one.name}, {megabytes(one.bytes)}, if in reach" for one in optional)
    if not needed:
        return f"Downloading the optional model {named}, licence {licences}, into {folder}."
    more = f" (and {named})" if named else ""
    return (
        f"Downloading the models, once: {megabytes(needed)}{more}, licence {licences},"
        f" into {folder}. It takes a minute or two."
    )


@contextmanager
def _spoken(say: Callable[[str], None]) -> Iterator[None]:
    """Pass the lines of `provisioning.progress` to ``say``, indented."""

    class Speaker(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(f"  {record.getMessage()}")

    speaker, level, propagates = Speaker(), PROGRESS.level, PROGRESS.propagate
    PROGRESS.addHandler(speaker)
    PROGRESS.setLevel(logging.INFO)
    PROGRESS.propagate = False
    try:
        yield
    finally:
        PROGRESS.removeHandler(speaker)
        PROGRESS.setLevel(level)
        PROGRESS.propagate = propagates


def _fetch_all() -> Callable[..., dict[str, str]]:
    """Import the fetch code on demand; an image that only serves lacks its library."""
    try:
        from bgremove.provisioning.fetch import fetch_all
    except ModuleNotFoundError as error:
        raise WeightsError(f"{error.name} is not installed: {pip_install()}") from error
    return fetch_all


def missing_sentences(manifest: Manifest, missing: Collection[str]) -> Iterator[str]:
    """Yield a message for each missing model of a subject that no stand-in replaces."""
    covered = {model.stands_in_for for model in manifest.models if model.name not in missing}
    if any(prior.name in missing for prior in manifest.priors):
        yield (
            f"The models that find people could not be downloaded; subject human uses"
            f" {manifest.fallback} alone. The next try is tomorrow."
        )
    for model in manifest.models:
        name = model.name
        if name not in missing:
            continue
        if model.stands_in_for or name in covered:
            continue
        if model.subjects:
            meanwhile = f"subject {' and '.join(model.subjects)} uses {manifest.fallback} instead"
        elif model.joins:
            meanwhile = f"subject {' and '.join(model.joins)} works without it"
        else:
            continue
        yield (
            f"The optional model {name} could not be downloaded; {meanwhile}."
            " The next try is tomorrow."
        )


def _offline_advice() -> str:
    return (
        "Run `bgremove weights` where there is a network, or set BGREMOVE_WEIGHTS_MIRROR to a"
        " folder or URL that has the file"
    )
