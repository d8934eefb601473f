"""The command line: `bgremove weights`, `calibrate`, `settings` and `openapi`."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click

from bgremove.commands.openapi import openapi
from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError
from bgremove.inference.cpus import available_cpus
from bgremove.inference.known_picture import answer_of, known_picture
from bgremove.inference.manifest import Manifest, load_manifest, manifest_path
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.session import Session
from bgremove.inference.verify import as_built
from bgremove.settings import Settings, markdown_table, unknown_names

ANSWER_TIMEOUT_S = 60.0  # for one run, on the slowest of machines


@click.group()
@click.version_option(package_name="bgremove")
def main() -> None:
    """Self-hosted background removal."""


@main.command()
@click.option(
    "--strict", is_flag=True, help="Fail when any model is missing, not only the default."
)
@click.option("--answer", metavar="NAME", help="Print a model's answer to the known picture.")
def weights(strict: bool, answer: str | None) -> None:
    """Fetch and verify the models' weights.

    Exits with 1 when the model that every other falls back to is missing.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for sentence in unknown_names(os.environ):
        click.echo(sentence, err=True)
    try:
        settings = Settings.from_env(os.environ)
        manifest = load_manifest(settings.weights_dir)
        if answer is not None:
            _print_answer(answer, manifest, settings)
            return
        missing = _fetched(manifest, settings)
    except BgremoveError as error:
        raise click.ClickException(error.private or error.message) from error
    for model in manifest.models:
        stood_in_for = model.stands_in_for and model.stands_in_for not in missing
        state = "missing" if model.name in missing else "not needed" if stood_in_for else "ready"
        click.echo(f"{model.name}: {state}")
    if manifest.fallback in missing or (strict and missing):
        sys.exit(1)


@main.command()
@click.argument("name")
@click.argument("pictures", type=click.Path(exists=True, file_okay=False, path_type=Path))
def calibrate(name: str, pictures: Path) -> None:
    """Make the calibration table of model NAME again, from a folder of PICTURES.

    The int8 form is built from it by the next `bgremove weights`; its SHA-256 and known answer in
    the manifest are then to be set anew.
    """
    from bgremove.inference.quantization.calibrate import calibrate as make_table

    try:
        settings = Settings.from_env(os.environ)
        model = load_manifest(settings.weights_dir).model(name)
        if model.int8 is None:
            raise click.ClickException(f"{name} has no int8 form in the manifest")
        table = manifest_path(settings.weights_dir).parent / model.int8.ranges
        make_table(model, settings.weights_dir / model.file, pictures, table, model.int8.quantile)
    except (BgremoveError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{table.name}: written")


def _fetched(manifest: Manifest, settings: Settings) -> dict[str, str]:
    """Fetch what is not there; only this command needs what the extra `weights` installs."""
    try:
        from bgremove.inference.weights import fetch_all
    except ModuleNotFoundError as error:
        fault = f"{error.name} is not installed; pip install '.[weights]' brings it"
        raise click.ClickException(fault) from error
    return fetch_all(manifest, settings.weights_dir, settings.weights_mirror)


def _print_answer(name: str, manifest: Manifest, settings: Settings) -> None:
    model = as_built(manifest.model(name), settings.weights_dir)
    threads = settings.threads or available_cpus()
    session = Session(model, settings.weights_dir / model.file, threads)
    tensor = to_tensor(known_picture(), model)
    saliency = session.run(tensor, Deadline.after(ANSWER_TIMEOUT_S))
    click.echo([round(float(mean), 4) for mean in answer_of(saliency)])


@main.command()
def settings() -> None:
    """Print the table of settings, as the README has it."""
    click.echo(markdown_table(), nl=False)


main.add_command(openapi)
