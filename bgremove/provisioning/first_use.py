"""Fetch and build the weights on first use, from the command line or the Python API."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from bgremove.errors import WeightsError
from bgremove.inference.manifest import load_manifest
from bgremove.inference.models import Manifest, Weights
from bgremove.installation import pip_install
from bgremove.provisioning.resting import is_resting
from bgremove.settings import Settings

MB = 1_000_000


def ensure_weights(
    settings: Settings,
    *,
    offline: bool = False,
    say: Callable[[str], None] = lambda sentence: print(sentence, file=sys.stderr),
) -> None:
    """Fetch the missing models; return at once if every model is present.

    An optional model whose source does not answer is retried at most once a day.

    Args:
        settings: Give the weights folder and a mirror to try first.
        offline: Fetch nothing.
        say: Called with each message for the user.

    Raises:
        WeightsError: The default model is missing and cannot be fetched.

    """
    folder = settings.weights_dir
    manifest = load_manifest(folder)
    default = manifest.model(manifest.fallback)
    is_served = _is_there(default, folder)
    due = _due(manifest, folder)
    if not due:
        return
    if offline or (is_served and not os.access(folder, os.W_OK)):
        if not is_served:
            raise WeightsError(f"{default.file} is not in {folder}. {_offline_advice()}")
        return
    if absent := [model for model in due if not _is_there(model, folder)]:
        size = sum(model.bytes for model in absent) // MB
        licences = ", ".join(sorted({model.licence for model in absent}))
        say(
            f"Downloading the models, once: {size} MB, licence {licences}, into {folder};"
            " then building their fast int8 form. It takes a minute or two."
        )
    try:
        missing = _fetch_all()(manifest, folder, settings.weights_mirror, again=False)
    except WeightsError as error:
        if not is_served:
            raise
        say(f"Some models are missing: {error.message}")
        return
    if default.name in missing:
        reason = missing[default.name]
        raise WeightsError(f"{default.name} could not be fetched: {reason}. {_offline_advice()}")
    for sentence in missing_sentences(manifest, missing):
        say(sentence)
    say("The models are ready.")


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
        if model.subjects and not model.stands_in_for and name not in covered:
            subjects = " and ".join(model.subjects)
            yield (
                f"The optional model {name} could not be downloaded; subject {subjects} uses"
                f" {manifest.fallback} instead. The next try is tomorrow."
            )


def _due(manifest: Manifest, folder: Path) -> list[Weights]:
    """Return the files to fetch or build; a stand-in counts only through the model it replaces."""
    covered = {one.stands_in_for for one in manifest.models if _is_there(one, folder)}
    due: list[Weights] = []
    for model in manifest.models:
        forms = [model] if model.quantised is None else [model, model.quantised]
        is_done = model.name in covered or all(_is_there(form, folder) for form in forms)
        if not (is_done or model.stands_in_for or is_resting(model, folder)):
            due.append(model)
    due += [
        prior
        for prior in manifest.priors
        if not (_is_there(prior, folder) or is_resting(prior, folder))
    ]
    return due


def _is_there(model: Weights, folder: Path) -> bool:
    return (folder / model.file).is_file()


def _offline_advice() -> str:
    return (
        "Run `bgremove weights` where there is a network, or set BGREMOVE_WEIGHTS_MIRROR to a"
        " folder or URL that has the file"
    )
