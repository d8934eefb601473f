"""`bgremove weights`: fetch and verify the models' weights."""

from __future__ import annotations

import logging
import sys

import click

from bgremove.commands.common import manual, read_settings
from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError
from bgremove.inference.manifest import load_manifest
from bgremove.inference.models import Manifest
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.session import Session
from bgremove.inference.verify import answer_of, as_built, known_picture
from bgremove.machine import available_cpus
from bgremove.settings import Settings

ANSWER_TIMEOUT_S = 60.0  # limit of one run, for the slowest machines
EPILOG = manual(
    examples={
        "bgremove weights": "download missing models and verify the others",
        "BGREMOVE_WEIGHTS_MIRROR=/mnt/weights bgremove weights": "without a network, from a folder",
    },
    exit_codes={
        0: "the default model is present; with --strict, all models are",
        1: "a required model is missing, or an error occurred",
        2: "wrong usage",
    },
    environment={
        "BGREMOVE_WEIGHTS_DIR": "folder of the models",
        "BGREMOVE_WEIGHTS_MIRROR": "folder or URL that is tried first",
    },
)


@click.command("weights", epilog=EPILOG)
@click.option("--strict", is_flag=True, help="Fail if any model is missing, not only the default.")
@click.option("--answer", metavar="NAME", help="Print a model's answer to the known picture.")
def command(strict: bool, answer: str | None) -> None:
    """Download the models and verify their hashes.

    Files that are present and intact are kept. `bgremove remove`, `bgremove serve` and the Python
    API also download missing models when they start. A request to a service never does.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = read_settings()
    try:
        manifest = load_manifest(settings.weights_dir)
        if answer is not None:
            _print_answer(answer, manifest, settings)
            return
        from bgremove.provisioning.fetch import fetch_all

        missing = fetch_all(manifest, settings.weights_dir, settings.weights_mirror)
    except BgremoveError as error:
        raise click.ClickException(error.private or error.message) from error
    if manifest.fallback in missing:
        raise click.ClickException(
            f"{manifest.fallback} could not be downloaded: {missing[manifest.fallback]}."
            " No other model was tried. Try again when the network is back, or set"
            " BGREMOVE_WEIGHTS_MIRROR to a folder or URL that has the file"
        )
    for model in manifest.models:
        stood_in_for = model.stands_in_for and model.stands_in_for not in missing
        state = "missing" if model.name in missing else "not needed" if stood_in_for else "ready"
        if state == "missing" and model.subjects:
            state += f"; subject {', '.join(model.subjects)} uses {manifest.fallback}"
        elif state == "missing" and model.joins:
            state += f"; subject {', '.join(model.joins)} works without it"
        click.echo(f"{model.name}: {state}")
    for prior in manifest.priors:
        state = "ready"
        if prior.name in missing:
            state = "missing; subject human keeps the salient subject, people or not"
        click.echo(f"{prior.name}: {state}")
    if strict and missing:
        sys.exit(1)


def _print_answer(name: str, manifest: Manifest, settings: Settings) -> None:
    model = as_built(manifest.model(name), settings.weights_dir)
    threads = settings.threads or available_cpus()
    session = Session(model, settings.weights_dir / model.file, threads)
    tensor = to_tensor(known_picture(), model)
    saliency = session.run(tensor, Deadline.after(ANSWER_TIMEOUT_S))
    click.echo([round(float(mean), 4) for mean in answer_of(saliency)])
